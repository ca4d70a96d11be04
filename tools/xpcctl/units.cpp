#include "units.hpp"

#include "job/keys.hpp"

#include <xpc/openxpc/object.h>

#include "unit_parts.hpp"

namespace xpcctl {
namespace {

/// Keys that stand in the units, in another word or one by one below.
constexpr std::string_view translated[] = {
    "AbandonProcessGroup",
    "CgroupLimits",
    "EnableTransactions",  // a word to people only
    "EnvironmentVariables",
    "ExitTimeOut",
    "ExitTimeout",
    "GroupName",
    "HardResourceLimits",
    "InitGroups",
    "KeepAlive",
    "Label",
    "LowPriorityBackgroundIO",
    "LowPriorityIO",
    "MachServices",
    "Nice",
    "NoNewPrivileges",
    "ProcessType",
    "Program",
    "ProgramArguments",
    "QueueDirectories",
    "RunAtLoad",
    "Sockets",
    "SoftResourceLimits",
    "StandardErrorPath",
    "StandardInPath",
    "StandardOutPath",
    "StartCalendarInterval",
    "StartInterval",
    "ThrottleInterval",
    "Umask",
    "UserName",
    "WatchPaths",
    "WorkingDirectory",
};

struct reason {
  std::string_view key;
  const char* text;
};

constexpr reason reasons[] = {
    {"Disabled", "whether a unit is started is for systemctl enable and disable to say"},
    {"EnablePressuredExit", "systemd asks nobody whether it is needed; the service stays"},
    {"UpgradeOverlap", "systemd ends the old process before it starts the new one"},
    {"WaitForDebugger", "systemd cannot hold a process at its start"},
};

bool is_translated(const std::string& key) {
  for (const std::string_view one : translated) {
    if (one == key) return true;
  }
  return false;
}

std::string why_not(const std::string& key) {
  for (const reason& one : reasons) {
    if (one.key == key) return one.text;
  }
  return "nothing in a unit does the same";
}

template <class F>
void each_key(xpc_object_t dictionary, F f) {
  ::openxpc_dictionary_read_each_f(
      dictionary, &f, [](void* context, const char* key, std::size_t size, const openxpc_value_t*) {
        (*static_cast<F*>(context))(std::string(key, size));
        return true;
      });
}

void warn_of_keys(xpc_object_t object, unit_builder* out) {
  each_key(object, [&](const std::string& key) {
    const openxpc::job::key_rule* rule = openxpc::job::find_key(key);
    // What has no effect anyway was told when the description was read.
    if (rule == nullptr || rule->read == nullptr || is_translated(key)) return;
    out->warn(key, why_not(key));
  });
  xpc_object_t names = openxpc::get_object(object, "MachServices");
  if (names == nullptr) return;
  each_key(names, [&](const std::string& name) {
    xpc_object_t options = openxpc::get_object(names, name);
    if (::openxpc_type_id(options) != OPENXPC_TYPE_DICTIONARY) return;
    each_key(options, [&](const std::string& option) {
      out->warn("MachServices/" + name + "/" + option, why_not(option));
    });
  });
}

}  // namespace

exported_units export_units(const openxpc::job::reading& what, const unit_options& how) {
  unit_builder builder{.job = what.job, .how = how};
  builder.out.warnings = what.warnings;
  warn_of_keys(what.object.get(), &builder);
  builder.add_sockets();
  builder.add_timer();
  builder.add_paths();
  builder.add_service();
  return std::move(builder.out);
}

}  // namespace xpcctl
