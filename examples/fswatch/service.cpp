#include "service.hpp"

#include <algorithm>
#include <iostream>

#include "rows.hpp"

namespace fswatch {

service::service(rules which, history past) : rules_(std::move(which)), past_(std::move(past)) {
  storer_ = std::thread([this] { store(); });
  files_ = std::make_unique<watcher>([this](event what) { seen(std::move(what)); });
}

service::~service() {
  files_.reset();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  storer_.join();
}

xpc::result<void> service::resume() {
  auto trees = [&] {
    std::lock_guard lock(history_mutex_);
    return past_.trees();
  }();
  if (!trees) return trees.error();
  for (const std::string& tree : *trees)
    if (auto added = files_->add(tree); !added) std::cerr << added.error().explain() << '\n';
  return {};
}

void service::seen(event what) {
  std::unique_lock lock(mutex_);
  if (!rules_.counts(what)) {
    ++filtered_;
    return;
  }
  changed_.wait(lock, [this] { return waiting_.size() < waiting_most || stopping_; });
  ++read_;
  waiting_.push_back(std::move(what));
  changed_.notify_all();
}

void service::store() {
  std::vector<event> batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) return;
      auto end =
          waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), stored_at_once));
      batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
      changed_.notify_all();
    }
    auto stored = [&] {
      std::lock_guard lock(history_mutex_);
      return past_.store(batch);
    }();
    if (!stored) {
      std::cerr << stored.error().explain() << '\n';
      std::lock_guard lock(mutex_);
      trouble_ = stored.error();
      continue;
    }
    for (const event& each : batch) live_.send(to_row(each));
    std::lock_guard lock(mutex_);
    stored_ += batch.size();
    sent_ += batch.size();
  }
}

xpc::result<xpc::dictionary> service::answer(const xpc::dictionary& question) {
  auto op = question.get<std::string>("op").value();
  if (op == "watch") {
    auto path = question.get<std::string>("path").value();
    if (auto added = files_->add(path); !added) return added.error();
    std::lock_guard lock(history_mutex_);
    if (auto kept = past_.remember(path); !kept) return kept.error();
    return xpc::dictionary{};
  }
  if (op == "unwatch") {
    auto path = question.get<std::string>("path").value();
    if (auto removed = files_->remove(path); !removed) return removed.error();
    std::lock_guard lock(history_mutex_);
    if (auto kept = past_.forget(path); !kept) return kept.error();
    return xpc::dictionary{};
  }
  if (op == "history") return query(question);
  if (op == "status") return status();
  return xpc::failure(xpc::errc::unknown_method, "fswatch knows no operation \"" + op + "\"");
}

xpc::result<xpc::dictionary> service::query(const xpc::dictionary& what) {
  using time = std::chrono::sys_time<std::chrono::nanoseconds>;
  using number = std::optional<std::int64_t>;
  auto [after, limit, glob, since, until] =
      what.get<number, number, std::optional<std::string>, std::optional<time>,
               std::optional<time>>("after", "limit", "glob", "since", "until")
          .value();
  question asked;
  asked.after_id = after.value_or(0);
  asked.limit = std::clamp<std::int64_t>(limit.value_or(100), 1, 10'000);
  asked.glob = glob.value_or("");
  if (since)
    asked.since = std::chrono::time_point_cast<std::chrono::system_clock::duration>(*since);
  if (until)
    asked.until = std::chrono::time_point_cast<std::chrono::system_clock::duration>(*until);
  auto found = [&] {
    std::lock_guard lock(history_mutex_);
    return past_.query(asked);
  }();
  if (!found) return found.error();
  std::vector<xpc::dictionary> rows;
  rows.reserve(found->size());
  for (const event& each : *found) rows.push_back(to_row(each));
  return xpc::dictionary{{"rows", rows}};
}

xpc::dictionary service::status() {
  std::int64_t in_database = [&] {
    std::lock_guard lock(history_mutex_);
    return past_.count().value_or(-1);
  }();
  auto trees = files_->trees();
  auto overflows = files_->overflows();
  std::lock_guard lock(mutex_);
  xpc::dictionary now{{"trees", trees},
                      {"read", read_},
                      {"filtered", filtered_},
                      {"stored", stored_},
                      {"sent", sent_},
                      {"waiting", static_cast<std::uint64_t>(waiting_.size())},
                      {"overflows", overflows},
                      {"database", in_database},
                      {"subscribers", static_cast<std::uint64_t>(live_.subscriber_count())},
                      {"rules", rules_.to_dictionary()}};
  if (trouble_) now.set("trouble", std::string(trouble_->message()));
  return now;
}

void service::subscribe(xpc::subscription who) {
  live_.add(std::move(who), {.buffer_bytes = buffer_bytes});
}

}  // namespace fswatch
