#pragma once

#include <string>

namespace openxpc::job {

/// What a description says about one of its names.
struct name_options {
  bool reset_at_close = false;       // a new socket after every run
  bool hide_until_check_in = false;  // nobody finds it while no process has checked in
  bool allow_any_peer = false;       // whoever can reach it may speak
  friend bool operator==(const name_options&, const name_options&) = default;
};

}  // namespace openxpc::job
