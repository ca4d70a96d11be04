#pragma once

#include "job/description.hpp"
#include "job/finding.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"

#include <string>
#include <string_view>
#include <vector>

/// From a launchd property list to a job: text or object in, job or errors out; nothing else is
/// touched.
namespace openxpc::job {

struct reading {
  description job;
  std::vector<std::string> warnings;  // "FILE:LINE: KEY: ..." for keys that have no effect here
  object_ref object;                  // the property list itself, for the run state
};

/// @param file  how errors call the text.
/// Errors (bad_input): the text does not parse, or one line "FILE:LINE: KEY: expected X, found Y"
/// for each value that is wrong.
outcome<reading> read(std::string_view text, const std::string& file);

/// The same for an object that came without text; errors have no line.
outcome<reading> read(object_ref object, const std::string& origin);

/// Everything there is to say about a description, errors and warnings, in the order of the lines;
/// nothing for a good one. Errors (bad_input): the text does not parse.
outcome<std::vector<finding>> inspect(std::string_view text, const std::string& file);

}  // namespace openxpc::job
