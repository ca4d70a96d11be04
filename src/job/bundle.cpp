#include "job/bundle.hpp"

#include "job/description.hpp"
#include "job/located.hpp"
#include "job/name.hpp"
#include "job/read_keys.hpp"

#include <xpc/openxpc/plist.h>

namespace openxpc::job {

namespace {

constexpr const char* section = "XPCService";

outcome<located> parse_dictionary(std::string_view text, const std::string& file) {
  outcome<located> result = parse(text, file);
  if (result && !is(result->object.get(), OPENXPC_TYPE_DICTIONARY)) {
    return trouble{trouble::kind::bad_input,
                   file + ": expected dictionary, found " +
                       ::openxpc_type_name(::openxpc_type_id(result->object.get()))};
  }
  return result;
}

void read_identifier(reader& in, bundle_info* info) {
  const key_path path{"CFBundleIdentifier"};
  xpc_object_t value = in.find("CFBundleIdentifier");
  if (value == nullptr) return in.error(path, "is missing: it is the name of the service");
  if (!in.text_not_empty(path, value, &info->identifier)) return;
  if (auto wrong = wrong_with_name(info->identifier)) in.error(path, *wrong);
}

void read_package_type(reader& in) {
  std::string type;
  xpc_object_t value = in.find("CFBundlePackageType");
  if (value != nullptr && in.text({"CFBundlePackageType"}, value, &type) && type != "XPC!") {
    in.error({"CFBundlePackageType"}, "expected XPC!, found " + type);
  }
}

void read_executable(reader& in, bundle_info* info) {
  xpc_object_t value = in.find("CFBundleExecutable");
  const key_path path{"CFBundleExecutable"};
  if (value == nullptr || !in.text_not_empty(path, value, &info->executable)) return;
  if (info->executable.find('/') != std::string::npos || info->executable.front() == '.') {
    in.error(path, info->executable + " is no plain name of a file in the bundle");
  }
}

void read_type(reader& in, const key_path& path, xpc_object_t value, bundle_info* info) {
  std::string type;
  if (!in.text(path, value, &type)) return;
  if (type == "Application") {
    info->type = service_type::application;
  } else if (type == "User") {
    info->type = service_type::user;
  } else if (type == "System") {
    info->type = service_type::system;
  } else {
    in.error(path, "expected Application, User or System, found " + type);
  }
}

void read_run_loop(reader& in, const key_path& path, xpc_object_t value, bundle_info*) {
  std::string type;
  if (in.text(path, value, &type) && type != "dispatch_main" && type != "NSRunLoop") {
    in.error(path, "expected dispatch_main or NSRunLoop, found " + type);
  }
}

void read_environment_of(reader& in, const key_path& path, xpc_object_t value, bundle_info* info) {
  read_variables(in, path, value, &info->environment);
}

void read_session(reader& in, const key_path& path, xpc_object_t value, bundle_info* info) {
  in.boolean(path, value, &info->join_existing_session);
}

void read_instances(reader& in, const key_path& path, xpc_object_t value, bundle_info* info) {
  in.boolean(path, value, &info->multiple_instances);
}

void read_privileges(reader& in, const key_path& path, xpc_object_t value, bundle_info* info) {
  in.boolean(path, value, &info->no_new_privileges);
}

struct service_key {
  const char* key;
  void (*read)(reader& in, const key_path& path, xpc_object_t value, bundle_info* info);
};

constexpr service_key service_keys[] = {
    {"EnvironmentVariables", read_environment_of},
    {"JoinExistingSession", read_session},
    {"NoNewPrivileges", read_privileges},
    {"RunLoopType", read_run_loop},
    {"ServiceType", read_type},
    {"_MultipleInstances", read_instances},
};

/// What is not in here is another program's or nobody's: an Info.plist has keys for everybody, the
/// dictionary XPCService only ours.
void read_service(reader& in, bundle_info* info) {
  xpc_object_t value = in.find(section);
  if (value == nullptr || !in.is_dictionary({section}, value, "dictionary")) return;
  each_entry(value, [&](const std::string& key, xpc_object_t one) {
    for (const service_key& known : service_keys) {
      if (key == known.key) return known.read(in, {section, key}, one, info);
    }
    in.warn({section, key}, "has no effect: there is no such key here");
  });
  if (info->multiple_instances && info->type != service_type::application) {
    in.error({section, "_MultipleInstances"},
             "only a service of type Application has an instance for each connection");
  }
}

struct inspection {
  bundle_info info;
  std::vector<finding> findings;
};

inspection inspect_object(const located& parsed) {
  inspection result;
  reader in(parsed.object.get(), parsed.locations);
  read_identifier(in, &result.info);
  read_package_type(in);
  read_executable(in, &result.info);
  read_service(in, &result.info);
  result.findings = in.take_findings();
  return result;
}

}  // namespace

outcome<bundle_reading> read_bundle(std::string_view text, const std::string& file) {
  outcome<located> parsed = parse_dictionary(text, file);
  if (!parsed) return parsed.error();
  inspection seen = inspect_object(*parsed);
  bundle_reading result;
  std::string wrong;
  for (const finding& one : seen.findings) {
    if (one.how == finding::weight::warning) {
      result.warnings.push_back(describe(one, file));
    } else {
      wrong += (wrong.empty() ? "" : "\n") + describe(one, file);
    }
  }
  if (!wrong.empty()) return trouble{trouble::kind::bad_input, wrong};
  result.info = std::move(seen.info);
  return result;
}

outcome<std::vector<finding>> inspect_bundle(std::string_view text, const std::string& file) {
  outcome<located> parsed = parse_dictionary(text, file);
  if (!parsed) return parsed.error();
  return inspect_object(*parsed).findings;
}

bool looks_like_bundle(std::string_view text) {
  outcome<located> parsed = parse_dictionary(text, "");
  return parsed && (get_object(parsed->object.get(), "CFBundleIdentifier") != nullptr ||
                    get_object(parsed->object.get(), section) != nullptr);
}

}  // namespace openxpc::job
