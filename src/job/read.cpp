#include "job/read.hpp"

#include "job/keys.hpp"
#include "job/located.hpp"

#include <xpc/openxpc/plist.h>

namespace openxpc::job {

namespace {

struct inspection {
  description job;
  std::vector<finding> findings;
  bool has_error() const {
    for (const finding& one : findings) {
      if (one.how == finding::weight::error) return true;
    }
    return false;
  }
};

/// What only several keys together can get wrong, or none of them.
void complete(reader& in, description* job) {
  if (in.find("Label") == nullptr) in.error({"Label"}, "is missing");
  if (in.find("Program") == nullptr) {
    if (in.find("ProgramArguments") == nullptr) {
      in.error({"Program"}, "is missing, and so is ProgramArguments");
    } else if (!job->arguments.empty()) {
      job->program = job->arguments.front();
    }
  }
  if (job->arguments.empty()) job->arguments.push_back(job->program);
  if (job->program.find('/') != std::string::npos && job->program.front() != '/') {
    in.error({in.find("Program") ? "Program" : "ProgramArguments"},
             job->program + " is neither an absolute path nor a plain name");
  }
}

inspection inspect_object(xpc_object_t object, openxpc_plist_locations_t locations) {
  inspection result;
  reader in(object, locations);
  each_entry(object, [&](const std::string& key, xpc_object_t value) {
    const key_rule* rule = find_key(key);
    if (rule == nullptr) {
      const std::string meant = key_like(key);
      in.warn({key}, "has no effect: there is no such key" +
                         (meant.empty() ? std::string() : "; is " + meant + " meant?"));
    } else if (rule->read == nullptr) {
      in.warn({key}, std::string("has no effect here: ") + rule->no_effect);
    } else {
      rule->read(in, {key}, value, &result.job);
    }
  });
  complete(in, &result.job);
  result.findings = in.take_findings();
  return result;
}

trouble no_dictionary(xpc_object_t found, const std::string& file) {
  return {trouble::kind::bad_input,
          file + ": expected dictionary, found " + ::openxpc_type_name(::openxpc_type_id(found))};
}

outcome<reading> read_with(object_ref object, openxpc_plist_locations_t locations,
                           const std::string& file) {
  if (!is(object.get(), OPENXPC_TYPE_DICTIONARY)) return no_dictionary(object.get(), file);
  inspection seen = inspect_object(object.get(), locations);
  reading result;
  std::string wrong;
  for (const finding& one : seen.findings) {
    if (one.how == finding::weight::warning) {
      result.warnings.push_back(describe(one, file));
    } else if (one.where != finding::scope::everywhere) {
      result.objections.push_back({one.where, describe(one, file)});
    } else {
      wrong += (wrong.empty() ? "" : "\n") + describe(one, file);
    }
  }
  if (!wrong.empty()) return trouble{trouble::kind::bad_input, wrong};
  result.job = std::move(seen.job);
  result.object = std::move(object);
  return result;
}

}  // namespace

outcome<reading> read(std::string_view text, const std::string& file) {
  outcome<located> parsed = parse(text, file);
  if (!parsed) return parsed.error();
  return read_with(std::move(parsed->object), parsed->locations, file);
}

outcome<reading> read(object_ref object, const std::string& origin) {
  return read_with(std::move(object), nullptr, origin);
}

outcome<std::vector<finding>> inspect(std::string_view text, const std::string& file,
                                      std::optional<domain_kind> domain) {
  outcome<located> parsed = parse(text, file);
  if (!parsed) return parsed.error();
  if (!is(parsed->object.get(), OPENXPC_TYPE_DICTIONARY)) {
    return no_dictionary(parsed->object.get(), file);
  }
  std::vector<finding> all = inspect_object(parsed->object.get(), parsed->locations).findings;
  std::erase_if(all, [&](const finding& one) {
    return one.where != finding::scope::everywhere && !(domain && counts_in(one.where, *domain));
  });
  return all;
}

}  // namespace openxpc::job
