#pragma once

#include "job/description.hpp"
#include "job/finding.hpp"
#include "job/object.hpp"
#include "job/outcome.hpp"

#include <optional>
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
  /// What keeps it out of some domains: whole lines, as errors are told.
  struct objection {
    finding::scope where = finding::scope::everywhere;  // never this
    std::string text;
  };
  std::vector<objection> objections;
};

/// @param file  how errors call the text.
/// Errors (bad_input): the text does not parse, or one line "FILE:LINE: KEY: expected X, found Y"
/// for each value that is wrong.
outcome<reading> read(std::string_view text, const std::string& file);

/// The same for an object that came without text; errors have no line.
outcome<reading> read(object_ref object, const std::string& origin);

/// Everything there is to say about a description, errors and warnings, in the order of the lines;
/// nothing for a good one.
/// @param domain  also what keeps it out of domains of that kind
/// Errors (bad_input): the text does not parse.
outcome<std::vector<finding>> inspect(std::string_view text, const std::string& file,
                                      std::optional<domain_kind> domain = std::nullopt);

/// True when something of that scope counts in such a domain.
constexpr bool counts_in(finding::scope where, domain_kind domain) {
  switch (where) {
    case finding::scope::everywhere:
      return true;
    case finding::scope::user:
      return domain == domain_kind::user;
    case finding::scope::system:
    case finding::scope::any_peer:
      return domain == domain_kind::system;
  }
  return true;
}

}  // namespace openxpc::job
