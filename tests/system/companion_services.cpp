// Services with activities and events: roles of the test program. What happens to them they write
// into a file, a line each, since nobody need be connected to them.

#include "support/patience.hpp"
#include "support/role.hpp"

#include <xpc/openxpc/activity.h>
#include <xpc/openxpc/listener.h>
#include <xpc/openxpc/service.h>
#include <xpc/private.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "system/manager.hpp"

using namespace system_test;

namespace {

std::string file;
std::vector<std::string> options;
std::atomic<int> inside{0};

/// One write, so that lines of two threads or processes never mix.
void note(const std::string& text) {
  const int to = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const std::string line = text + "\n";
  (void)!::write(to, line.data(), line.size());
  ::close(to);
}

bool wants(const std::string& option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}
std::int64_t number(const std::string& option, std::int64_t otherwise = -1) {
  for (const std::string& one : options) {
    if (one.starts_with(option + "=")) return std::atoll(one.c_str() + option.size() + 1);
  }
  return otherwise;
}

/// "Once" of all processes that write into this file.
bool is_first(const std::string& what) {
  std::ifstream all(file);
  for (std::string line; std::getline(all, line);) {
    if (line == what) return false;
  }
  return true;
}

bool step(xpc_activity_t activity, xpc_activity_state_t state) {
  return xpc_activity_set_state(activity, state);
}

void finish_later(xpc_activity_t activity) {
  xpc_retain(activity);
  std::thread([activity] {
    xpc_testing::wait_until("the word to go on",
                            [] { return std::filesystem::exists(file + ".go"); });
    note(std::string("done ") + (step(activity, XPC_ACTIVITY_STATE_DONE) ? "yes" : "no"));
    xpc_release(activity);
  }).detach();
}

void run(xpc_activity_t activity) {
  const bool first = is_first("run");
  note("run");
  if (wants("crash") && first) ::raise(SIGKILL);
  if (wants("should-defer")) {
    xpc_testing::wait_until("the wish to defer",
                            [&] { return xpc_activity_should_defer(activity); });
    note("should defer");
    (void)step(activity, XPC_ACTIVITY_STATE_DEFER);
  } else if (wants("defer") && first) {
    (void)step(activity, XPC_ACTIVITY_STATE_DEFER);
  } else if (wants("continue") && first) {
    if (step(activity, XPC_ACTIVITY_STATE_CONTINUE)) finish_later(activity);
    if (!step(activity, XPC_ACTIVITY_STATE_CONTINUE)) note("continue only once");
  } else if (wants("done")) {
    (void)step(activity, XPC_ACTIVITY_STATE_DONE);
  }
  if (wants("forget")) {
    char* name = xpc_activity_copy_identifier(activity);
    xpc_activity_unregister(name);
    note(std::string("forgot ") + name);
    std::free(name);
  }
  if (wants("keep")) {
    xpc_retain(activity);
    std::thread([activity] {
      xpc_testing::wait_until("the criteria to go", [&] {
        object_ref criteria(xpc_activity_copy_criteria(activity));
        return criteria == nullptr;
      });
      note("no criteria, state " + std::to_string(xpc_activity_get_state(activity)));
      xpc_release(activity);
    }).detach();
  }
  if (wants("leave")) openxpc_request_termination();
}

void on_activity(xpc_activity_t activity, void*) {
  if (inside.fetch_add(1) != 0) note("overlap");
  if (xpc_activity_get_state(activity) == XPC_ACTIVITY_STATE_CHECK_IN) {
    object_ref criteria(xpc_activity_copy_criteria(activity));
    note("check-in, interval " +
         std::to_string(xpc_dictionary_get_int64(criteria.get(), XPC_ACTIVITY_INTERVAL)));
    if (step(activity, XPC_ACTIVITY_STATE_DONE)) note("a step from CHECK_IN");
    if (number("set") >= 0) {
      xpc_dictionary_set_int64(criteria.get(), XPC_ACTIVITY_INTERVAL, number("set"));
      xpc_activity_set_criteria(activity, criteria.get());
    }
  } else if (xpc_activity_get_state(activity) == XPC_ACTIVITY_STATE_RUN) {
    run(activity);
  } else {
    note("state " + std::to_string(xpc_activity_get_state(activity)));
  }
  --inside;
}

}  // namespace

/// activity FILE IDENTIFIER OPTION...: has one activity. interval=S, delay=S: registers it so,
/// otherwise checks in; the others say what its handler does.
XPC_TEST_ROLE(activity) {
  file = call.arguments.at(0);
  options.assign(call.arguments.begin() + 2, call.arguments.end());
  object_ref criteria = dictionary();
  for (const auto& [option, key] :
       {std::pair{"interval", XPC_ACTIVITY_INTERVAL}, std::pair{"delay", XPC_ACTIVITY_DELAY}}) {
    if (number(option) >= 0) xpc_dictionary_set_int64(criteria.get(), key, number(option));
  }
  if (wants("battery")) {
    xpc_dictionary_set_bool(criteria.get(), XPC_ACTIVITY_ALLOW_BATTERY, true);
    xpc_dictionary_set_bool(criteria.get(), XPC_ACTIVITY_REQUIRE_SCREEN_SLEEP, true);
  }
  note("start");
  const bool has_criteria = xpc_dictionary_get_count(criteria.get()) != 0;
  openxpc_activity_register_f(call.arguments.at(1).c_str(),
                              has_criteria ? criteria.get() : XPC_ACTIVITY_CHECK_IN, nullptr,
                              on_activity);
  openxpc_check_in();
  for (;;) ::pause();  // the library ends the process when all is said
}

namespace {

std::string read_now(int from) {
  char buffer[256];
  const ssize_t got = ::read(from, buffer, sizeof buffer);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}

void on_event(xpc_object_t event, void*) {
  const char* name = xpc_dictionary_get_string(event, XPC_EVENT_KEY_NAME);
  std::string line = std::string("event ") + (name ? name : "without a name");
  const bool first = is_first(line);
  if (const char* text = xpc_dictionary_get_string(event, "Text")) {
    line += std::string(" ") + text;
  }
  if (const char* path = xpc_dictionary_get_string(event, "Path"))
    line += " at " + std::filesystem::path(path).filename().string();
  const int from = xpc_dictionary_dup_fd(event, "Descriptor");
  if (from >= 0) {
    line += " reads " + read_now(from);
    ::close(from);
  }
  if (wants("crash") && first) {
    note("event " + std::string(name ? name : ""));
    ::raise(SIGKILL);
  }
  note(line);
  if (wants("wait"))
    xpc_testing::wait_until("the word to go on",
                            [] { return std::filesystem::exists(file + ".go"); });
}

int passed[2];

}  // namespace

/// events FILE STREAM OPTION...: reads a stream. deaf: once it is not deaf, as the file FILE.hear
/// says; set: asks for the event "own" by itself; pass: for what a pipe of its own has.
XPC_TEST_ROLE(events) {
  file = call.arguments.at(0);
  options.assign(call.arguments.begin() + 2, call.arguments.end());
  const std::string stream = call.arguments.at(1);
  note("start");
  if (wants("deaf") && !std::filesystem::exists(file + ".hear")) return 0;
  openxpc_set_event_stream_handler_f(stream.c_str(), nullptr, nullptr, on_event);
  if (wants("set") || wants("pass") || wants("pass-fifo")) {
    object_ref event = dictionary();
    if (wants("pass-fifo")) {
      const int fifo = ::open((file + ".fifo").c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
      xpc_dictionary_set_fd(event.get(), "Descriptor", fifo);
    }
    if (wants("pass")) {
      if (::pipe2(passed, O_CLOEXEC | O_NONBLOCK) < 0) return 1;
      xpc_dictionary_set_fd(event.get(), "Descriptor", passed[0]);
      (void)!::write(passed[1], "hello", 5);
    }
    set(event, "Wanted", "yes");
    xpc_set_event(stream.c_str(), "own", event.get());
    object_ref back(xpc_copy_event(stream.c_str(), "own"));
    const char* wanted = back ? xpc_dictionary_get_string(back.get(), "Wanted") : nullptr;
    note(std::string("set ") + (wanted ? wanted : "nothing"));
    object_ref none(xpc_copy_event(stream.c_str(), "other"));
    if (none) note("an event that nobody set");
  }
  openxpc_check_in();
  for (;;) ::pause();
}

/// counts FILE: says how many transactions it has as it is told, by requests to the name "counts".
XPC_TEST_ROLE(transactions) {
  openxpc_listener_options_s how{};
  how.size = sizeof how;
  how.conversation.size = sizeof how.conversation;
  how.conversation.handlers.on_request = [](void*, openxpc_request_t request) {
    xpc_object_t message = ::openxpc_request_get_message(request);
    const std::string what = xpc_dictionary_get_string(message, "op");
    if (what == "begin") xpc_transaction_begin();
    if (what == "end") xpc_transaction_end();
    static std::vector<openxpc_request_t> held;
    // Never answered: it is being handled.
    if (what == "hold") return held.push_back(request);
    object_ref reply(::xpc_copy(message));
    ::openxpc_request_reply(request, reply.get());
  };
  if (!::openxpc_listener_open(call.arguments.at(0).c_str(), &how, nullptr)) return 1;
  for (;;) ::pause();
}
