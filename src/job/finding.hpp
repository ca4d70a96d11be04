#pragma once

#include <string>

namespace openxpc::job {

/// The kinds of domain that differ in what they load: the whole machine's, and all others.
enum class domain_kind : unsigned char { user, system };

/// Something to say about a job description, and the place it is about.
struct finding {
  enum class weight : unsigned char {
    error,    // the job cannot be loaded
    warning,  // something that was written has no effect
  };
  enum class scope : unsigned char {
    everywhere,
    user,      // in the domain of a user only
    system,    // in that of the machine only
    any_peer,  // there too, unless whoever loads the job lets anybody in
  };
  weight how = weight::error;
  scope where = scope::everywhere;
  unsigned line = 0;  // from 1; 0 where the notation has no lines
  std::string key;    // keys and indices from the root on, with slashes; empty: the whole
  std::string text;   // what was expected, or why there is no effect
};

/// "FILE:LINE: KEY: text", without what there is not.
std::string describe(const finding& what, const std::string& file);

}  // namespace openxpc::job
