#include "history.hpp"

#include <sqlite3.h>

#include <utility>

namespace fswatch {
namespace {

std::int64_t to_number(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

std::chrono::system_clock::time_point to_time(std::int64_t nanoseconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(nanoseconds)));
}

void bind(sqlite3_stmt* to, int at, const std::string& text) {
  sqlite3_bind_text(to, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

std::string text_of(sqlite3_stmt* row, int column) {
  auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)))
              : std::string();
}

constexpr const char* schema =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER "
    "NOT NULL,"
    " path TEXT NOT NULL, origin TEXT NOT NULL, directory INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS trees (path TEXT PRIMARY KEY);"
    "CREATE INDEX IF NOT EXISTS by_time ON events (at);";

}  // namespace

xpc::result<history> history::open(const std::string& file) {
  sqlite3* database = nullptr;
  int code = sqlite3_open(file.c_str(), &database);
  history made(database);
  if (code != SQLITE_OK) return made.fault("cannot open the history " + file);
  if (sqlite3_exec(database, schema, nullptr, nullptr, nullptr) != SQLITE_OK)
    return made.fault("cannot prepare the history " + file);
  auto insert = made.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  made.insert_ = *insert;
  auto last = made.prepare("SELECT COALESCE(MAX(id), 0) FROM events");
  if (!last) return last.error();
  if (sqlite3_step(*last) == SQLITE_ROW) made.next_id_ = sqlite3_column_int64(*last, 0) + 1;
  sqlite3_finalize(*last);
  return made;
}

history::history(history&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      insert_(std::exchange(other.insert_, nullptr)),
      next_id_(other.next_id_) {}

history::~history() {
  sqlite3_finalize(insert_);
  sqlite3_close(database_);
}

xpc::failure history::fault(const std::string& doing) const {
  return xpc::failure("sqlite", sqlite3_extended_errcode(database_),
                      doing + ": " + sqlite3_errmsg(database_));
}

xpc::result<sqlite3_stmt*> history::prepare(const char* text) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(database_, text, -1, &made, nullptr) != SQLITE_OK)
    return fault("cannot read the history");
  return made;
}

xpc::result<void> history::store(std::vector<event>& events) {
  if (sqlite3_exec(database_, "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK)
    return fault("cannot store");
  std::int64_t id = next_id_;
  for (event& each : events) {
    each.id = id++;
    sqlite3_bind_int64(insert_, 1, each.id);
    sqlite3_bind_int64(insert_, 2, to_number(each.at));
    sqlite3_bind_int(insert_, 3, static_cast<int>(each.what));
    bind(insert_, 4, each.path);
    bind(insert_, 5, each.from);
    sqlite3_bind_int(insert_, 6, each.directory);
    int code = sqlite3_step(insert_);
    sqlite3_reset(insert_);
    if (code != SQLITE_DONE) {
      auto why = fault("cannot store an event");
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
      return why;
    }
  }
  if (sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) {
    auto why = fault("cannot store");
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    return why;
  }
  next_id_ = id;
  return {};
}

xpc::result<std::vector<event>> history::query(const question& what) {
  auto prepared = prepare(
      "SELECT id, at, kind, path, origin, directory FROM events WHERE id > ?1 AND (?2 = 0 OR at >= "
      "?2) AND (?3 = 0 OR at <= ?3)"
      " AND (?4 = '' OR path GLOB ?4 OR origin GLOB ?4) ORDER BY id LIMIT ?5");
  if (!prepared) return prepared.error();
  sqlite3_stmt* rows = *prepared;
  sqlite3_bind_int64(rows, 1, what.after_id);
  sqlite3_bind_int64(rows, 2, to_number(what.since));
  sqlite3_bind_int64(rows, 3, to_number(what.until));
  bind(rows, 4, what.glob);
  sqlite3_bind_int64(rows, 5, what.limit);
  std::vector<event> found;
  int code;
  while ((code = sqlite3_step(rows)) == SQLITE_ROW)
    found.push_back({sqlite3_column_int64(rows, 0), static_cast<kind>(sqlite3_column_int(rows, 2)),
                     text_of(rows, 3), text_of(rows, 4), sqlite3_column_int(rows, 5) != 0,
                     to_time(sqlite3_column_int64(rows, 1))});
  sqlite3_finalize(rows);
  if (code != SQLITE_DONE) return fault("cannot read the history");
  return found;
}

xpc::result<std::int64_t> history::count() {
  auto prepared = prepare("SELECT COUNT(*) FROM events");
  if (!prepared) return prepared.error();
  std::int64_t number =
      sqlite3_step(*prepared) == SQLITE_ROW ? sqlite3_column_int64(*prepared, 0) : 0;
  sqlite3_finalize(*prepared);
  return number;
}

xpc::result<std::vector<std::string>> history::trees() {
  auto prepared = prepare("SELECT path FROM trees ORDER BY path");
  if (!prepared) return prepared.error();
  std::vector<std::string> found;
  while (sqlite3_step(*prepared) == SQLITE_ROW) found.push_back(text_of(*prepared, 0));
  sqlite3_finalize(*prepared);
  return found;
}

xpc::result<void> history::remember(const std::string& tree) {
  return change("INSERT OR IGNORE INTO trees VALUES (?1)", tree);
}

xpc::result<void> history::forget(const std::string& tree) {
  return change("DELETE FROM trees WHERE path = ?1", tree);
}

xpc::result<void> history::change(const char* text, const std::string& tree) {
  auto prepared = prepare(text);
  if (!prepared) return prepared.error();
  bind(*prepared, 1, tree);
  int code = sqlite3_step(*prepared);
  sqlite3_finalize(*prepared);
  if (code != SQLITE_DONE) return fault("cannot keep the list of trees");
  return {};
}

}  // namespace fswatch
