#pragma once

#include "base/fd.hpp"
#include "supervise/supervised.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace openxpc::supervise {

/// Keeps what services print from filling the run directory: a file that grew beyond the limit
/// loses its beginning. Looks only when something was written, and at most once a second.
class output_watch {
 public:
  static constexpr std::size_t kept_bytes = 1 << 20;

  /// @param borrowed_run_fd  the directory of the files; must outlive this, as must `loop`.
  /// @param written          called with the label of a job that wrote something
  output_watch(asio::io_context& loop, int borrowed_run_fd,
               std::function<void(const std::string& label)> written);

  void stop();

 private:
  void wait();
  void on_written();

  int directory_;
  std::function<void(const std::string&)> written_;
  base::fd events_;
  watch watch_;
  asio::steady_timer pause_;
};

}  // namespace openxpc::supervise
