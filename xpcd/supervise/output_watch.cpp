#include "supervise/output_watch.hpp"

#include "job/outcome.hpp"
#include "supervise/output.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "log.hpp"

namespace openxpc::supervise {

namespace {

constexpr std::chrono::seconds between_looks{1};
constexpr std::string_view output_suffix = ".err";

/// The names in the events that can be read now.
std::set<std::string> written_files(int borrowed_inotify) {
  std::set<std::string> names;
  alignas(inotify_event) char buffer[16384];
  ssize_t got;
  while ((got = ::read(borrowed_inotify, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= got;) {
      inotify_event head;
      std::memcpy(&head, buffer + at, sizeof head);
      if (head.len > 0) names.insert(buffer + at + sizeof head);
      at += static_cast<ssize_t>(sizeof head + head.len);
    }
  }
  return names;
}

}  // namespace

output_watch::output_watch(asio::io_context& loop, int borrowed_run_fd,
                           std::function<void(const std::string& label)> written)
    : directory_(borrowed_run_fd),
      written_(std::move(written)),
      events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      watch_(loop),
      pause_(loop) {
  const std::string path = "/proc/self/fd/" + std::to_string(borrowed_run_fd);
  if (events_ && ::inotify_add_watch(events_.get(), path.c_str(), IN_MODIFY) >= 0) {
    wait();
  } else {
    log_line(weight::error, system_trouble(errno, "what services print has no limit").text);
  }
}

void output_watch::stop() {
  watch_.stop();
  pause_.cancel();
}

void output_watch::wait() {
  watch_.start(events_.get(), [this] { on_written(); });
}

void output_watch::on_written() {
  for (const std::string& name : written_files(events_.get())) {
    if (name.size() < output_suffix.size() ||
        name.compare(name.size() - output_suffix.size(), output_suffix.size(), output_suffix) !=
            0) {
      continue;
    }
    written_(name.substr(0, name.size() - output_suffix.size()));
    base::fd file(::openat(directory_, name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file) trim_kept_output(file.get(), kept_bytes);
  }
  watch_.stop();
  pause_.expires_after(between_looks);
  pause_.async_wait([this](const asio::error_code& error) {
    if (!error) wait();
  });
}

}  // namespace openxpc::supervise
