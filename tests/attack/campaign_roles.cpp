// Who takes part in campaign_test.cpp: a service that keeps books, callers and readers that do,
// too.

#include "support/mailbox.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "system/manager.hpp"
#include "system/serving.hpp"

using namespace system_test;

namespace {

int book = -1;

void note_request(void*, openxpc_request_t request) { note_and_answer(book, request); }

/// {from}: rows from this number on, until the reader leaves.
void write_events(void*, openxpc_subscription_t subscription) {
  std::int64_t next =
      ::xpc_dictionary_get_int64(::openxpc_subscription_get_message(subscription), "from");
  openxpc_writer_t writer =
      ::openxpc_subscription_accept(subscription, OPENXPC_WHEN_FULL_WAIT, 65536);
  std::thread([writer, next]() mutable {
    while (!::openxpc_writer_is_canceled(writer)) {
      object_ref row = dictionary();
      set(row, "n", next);
      xpc_rich_error_t why = ::openxpc_writer_try_send(writer, row.get());
      if (why == nullptr) {
        ++next;
        continue;
      }
      const bool full = ::openxpc_error_get_code(why) == OPENXPC_ERROR_WOULD_BLOCK;
      ::xpc_release(why);
      if (!full || !::openxpc_writer_wait_writable(writer, OPENXPC_FOREVER)) break;
    }
    ::openxpc_writer_release(writer);
  }).detach();
}

}  // namespace

/// bookkeeper NAME FILE: writes down each request that it handles, then answers; streams events.
XPC_TEST_ROLE(bookkeeper) {
  book = ::open(call.arguments.at(1).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  openxpc_listener_options_s options{};
  options.size = sizeof options;
  options.conversation.size = sizeof options.conversation;
  options.conversation.handlers.on_request = note_request;
  options.conversation.handlers.on_subscribe = write_events;
  xpc_listener_t listener =
      ::openxpc_listener_open(call.arguments.at(0).c_str(), &options, nullptr);
  if (listener == nullptr) return 1;
  serve_to_the_end(listener);
  ::_exit(0);  // threads that wrote events may still be about to notice
}

namespace {

std::atomic<bool> over{false};

/// What was said to one request, and how often.
struct outcome {
  std::atomic<int> times{0};
  xpc_testing::mailbox<char> told;
};

session open_in(const std::string& directory, const std::string& name) {
  openxpc_conversation_options_s options{};
  options.size = sizeof options;
  options.domain_directory = directory.c_str();
  return session(::openxpc_session_open(name.c_str(), &options, nullptr));
}

/// a: answered, n: not accepted, u: outcome unknown, ?: none of these words, or two of them.
char word_for(xpc_object_t reply, xpc_rich_error_t error) {
  if (reply != nullptr) return 'a';
  const openxpc_error_flags_t flags = ::openxpc_error_get_flags(error);
  const bool refused = flags & OPENXPC_ERROR_NOT_ACCEPTED;
  const bool unknown = flags & OPENXPC_ERROR_OUTCOME_UNKNOWN;
  if (refused == unknown) {
    std::fprintf(stderr, "code %d flags %u: %s\n",
                 static_cast<int>(::openxpc_error_get_code(error)), flags,
                 ::openxpc_error_get_message(error));
    return '?';
  }
  return refused ? 'n' : 'u';
}

void hear_outcome(void* context, xpc_object_t reply, xpc_rich_error_t error) {
  auto& to = *static_cast<outcome*>(context);
  const char word = word_for(reply, error);
  if (reply) ::xpc_release(reply);
  if (error) ::xpc_release(error);
  ++to.times;
  to.told.put(word);
}

/// One caller: a request at a time, a new session when the old one is over.
void call_on(const std::string& directory, const std::string& name, std::int64_t first,
             std::vector<std::string>* lines) {
  std::vector<std::unique_ptr<outcome>> all;
  session to;
  for (std::int64_t id = first; !over; ++id) {
    if (!to || ::openxpc_peer_is_over(to.get())) to = open_in(directory, name);
    if (!to) continue;  // no service manager at this moment
    object_ref message = dictionary();
    set(message, "id", id);
    all.push_back(std::make_unique<outcome>());
    openxpc_call_t request = ::openxpc_peer_call(to.get(), message.get(), nullptr);
    ::openxpc_call_then(request, nullptr, all.back().get(), hear_outcome);
    ::openxpc_call_release(request);
    const char word = all.back()->told.take();
    lines->push_back(std::to_string(id) + " " + word);
    // Nobody is there: who asks again at once only heats the processor, and runs out of ids.
    if (word == 'n') std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  to.end();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->times != 1) (*lines)[i] += " " + std::to_string(all[i]->times) + " times";
}

/// One reader: takes events, and after an interruption goes on where it was.
void read_on(const std::string& directory, const std::string& name, std::string* line) {
  std::int64_t next = 0, wrong = 0, interruptions = 0;
  while (!over) {
    session from = open_in(directory, name);
    if (!from) continue;
    object_ref message = dictionary();
    set(message, "from", next);
    openxpc_stream_t stream = ::openxpc_peer_subscribe(from.get(), message.get(), 0, 0);
    openxpc_row_s row{};
    constexpr std::uint64_t look_up = 50'000'000;
    for (;;) {
      timespec now{};
      ::clock_gettime(CLOCK_BOOTTIME, &now);
      const std::uint64_t until = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                                  static_cast<std::uint64_t>(now.tv_nsec) + look_up;
      const openxpc_next got = ::openxpc_stream_wait_next(stream, until, &row);
      if (got == OPENXPC_NEXT_END || over) {
        if (got == OPENXPC_NEXT_ROW) ::xpc_release(row.value);
        break;
      }
      if (got != OPENXPC_NEXT_ROW) continue;
      wrong += ::xpc_dictionary_get_int64(row.value, "n") != next || row.missed != 0;
      ++next;
      ::xpc_release(row.value);
    }
    if (!over) ++interruptions;
    ::openxpc_stream_release(stream);
    from.end();
  }
  *line = std::to_string(next) + " " + std::to_string(wrong) + " " + std::to_string(interruptions);
}

}  // namespace

/// callers DIRECTORY NAME COUNT FIRST: so many at once, ids from FIRST on, each with a million of
/// its own, until told to stop; then a line for each request, "ID WORD", and an empty one.
XPC_TEST_ROLE(callers) {
  const int count = std::stoi(call.arguments.at(2));
  const std::int64_t first = std::stoll(call.arguments.at(3));
  std::vector<std::vector<std::string>> lines(static_cast<std::size_t>(count));
  std::vector<std::thread> all;
  for (int i = 0; i < count; ++i) {
    all.emplace_back(call_on, call.arguments.at(0), call.arguments.at(1), (first + i) * 1'000'000,
                     &lines[static_cast<std::size_t>(i)]);
  }
  xpc_testing::hear();
  over = true;
  for (std::thread& one : all) one.join();
  for (const auto& some : lines)
    for (const std::string& line : some) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  xpc_testing::say("");
  return 0;
}

/// readers DIRECTORY NAME COUNT: so many at once until told to stop; then a line for each, "EVENTS
/// WRONG INTERRUPTIONS".
XPC_TEST_ROLE(readers) {
  const int count = std::stoi(call.arguments.at(2));
  std::vector<std::string> lines(static_cast<std::size_t>(count));
  std::vector<std::thread> all;
  for (std::string& line : lines)
    all.emplace_back(read_on, call.arguments.at(0), call.arguments.at(1), &line);
  xpc_testing::hear();
  over = true;
  for (std::thread& one : all) one.join();
  for (const std::string& line : lines) xpc_testing::say(line);
  return 0;
}
