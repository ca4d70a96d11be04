#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace openxpc::plist {

/// The way from the root to a value, for messages: "jobs[3].Label". The root itself is "the root".
class path {
 public:
  /// Goes down one step for as long as it lives.
  class step {
   public:
    step(path& walked, std::string_view key);
    step(path& walked, std::size_t index);
    step(const step&) = delete;
    step& operator=(const step&) = delete;
    ~step() { walked_.said_.resize(before_); }

   private:
    path& walked_;
    std::size_t before_;
  };

  std::string text() const { return said_.empty() ? "the root" : said_; }

 private:
  std::string said_;
};

}  // namespace openxpc::plist
