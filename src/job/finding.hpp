#pragma once

#include <string>

namespace openxpc::job {

/// Something to say about a job description, and the place it is about.
struct finding {
  enum class weight : unsigned char {
    error,    // the job cannot be loaded
    warning,  // something that was written has no effect
  };
  weight how = weight::error;
  unsigned line = 0;  // from 1; 0 where the notation has no lines
  std::string key;    // keys and indices from the root on, with slashes; empty: the whole
  std::string text;   // what was expected, or why there is no effect
};

/// "FILE:LINE: KEY: text", without what there is not.
std::string describe(const finding& what, const std::string& file);

}  // namespace openxpc::job
