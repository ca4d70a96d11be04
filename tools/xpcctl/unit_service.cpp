// The service unit: what is started, as whom, with what, and when again.

#include <cctype>
#include <cstdio>

#include "unit_parts.hpp"

namespace xpcctl {

using openxpc::job::group_limit;
using openxpc::job::process_type;
using openxpc::job::resource_limit;

namespace {

bool is_variable_name(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front()))) return false;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  }
  return true;
}

const char* limit_key(const std::string& name) {
  struct pair {
    const char *ours, *theirs;
  };
  static constexpr pair pairs[] = {
      {"CPU", "LimitCPU"},
      {"Core", "LimitCORE"},
      {"Data", "LimitDATA"},
      {"FileSize", "LimitFSIZE"},
      {"MemoryLock", "LimitMEMLOCK"},
      {"NumberOfFiles", "LimitNOFILE"},
      {"NumberOfProcesses", "LimitNPROC"},
      {"Stack", "LimitSTACK"},
  };
  for (const pair& one : pairs) {
    if (name == one.ours) return one.theirs;
  }
  return nullptr;
}

std::string line(const char* key, const std::string& value) {
  return std::string(key) + "=" + value + "\n";
}

/// What a value cannot hold that systemd reads to the end of its line.
bool is_one_line(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return text.empty() || (text.back() != '\\' && text.back() != ' ' && text.front() != ' ');
}

}  // namespace

/// The colon keeps systemd from looking for variables in the arguments.
std::string unit_builder::command() {
  const bool own_name = job.arguments.front() != job.program;
  std::string text = unit_word(":" + std::string(own_name ? "@" : "") + job.program);
  if (own_name) text += " " + unit_word(job.arguments.front());
  for (std::size_t at = 1; at < job.arguments.size(); ++at) {
    // A lone semicolon would begin another command.
    text += " " + (job.arguments[at] == ";" ? "\\;" : unit_word(job.arguments[at]));
  }
  if (job.program.front() != '/' && job.environment.count("PATH") != 0) {
    warn("EnvironmentVariables/PATH", "systemd looks for " + job.program + " in its own path");
  }
  return line("ExecStart", text);
}

std::string unit_builder::environment() {
  std::string lines;
  for (const auto& [name, value] : job.environment) {
    if (is_variable_name(name)) {
      lines += line("Environment", unit_word(name + "=" + value));
    } else {
      warn("EnvironmentVariables/" + name, "systemd knows no variable of such a name");
    }
  }
  return lines;
}

std::string unit_builder::identity() {
  std::string lines;
  if (how.system) {
    if (!job.process.user.empty()) lines += line("User", unit_value(job.process.user));
    if (!job.process.group.empty()) lines += line("Group", unit_value(job.process.group));
    if (!job.process.init_groups) warn("InitGroups", "systemd always gives a user its groups");
  } else {
    const std::string text = "the manager of a user starts nothing as somebody else";
    if (!job.process.user.empty()) warn("UserName", text);
    if (!job.process.group.empty()) warn("GroupName", text);
  }
  char mask[16];
  std::snprintf(mask, sizeof mask, "%04o", job.process.umask);
  return lines + line("UMask", mask) +
         line("NoNewPrivileges", job.process.no_new_privileges ? "yes" : "no");
}

std::string unit_builder::files() {
  std::string lines;
  auto add = [&](const char* ours, const char* theirs, const std::string& before,
                 const std::string& path) {
    if (path.empty()) return;
    if (is_one_line(path)) {
      lines += line(theirs, before + unit_value(path));
    } else {
      warn(ours, "systemd cannot be told of a path with such characters");
    }
  };
  if (!job.root_directory.empty() && !how.system) {
    warn("RootDirectory", "the manager of a user may not change the root of a service");
  }
  add("RootDirectory", "RootDirectory", "", job.root_directory);
  add("WorkingDirectory", "WorkingDirectory", "", job.working_directory);
  add("StandardInPath", "StandardInput", "file:", job.stdin_path);
  add("StandardOutPath", "StandardOutput", "append:", job.stdout_path);
  add("StandardErrorPath", "StandardError", "append:", job.stderr_path);
  return lines;
}

std::string unit_builder::limits() {
  std::string lines;
  for (const resource_limit& one : job.process.limits) {
    const char* key = limit_key(one.name);
    if (key == nullptr) {
      warn("SoftResourceLimits/" + one.name, "systemd has no such limit");
    } else if (one.soft && one.hard) {
      lines += line(key, std::to_string(*one.soft) + ":" + std::to_string(*one.hard));
    } else {
      lines += line(key, std::to_string(one.soft ? *one.soft : one.hard.value_or(0)));
      warn((one.soft ? "SoftResourceLimits/" : "HardResourceLimits/") + one.name,
           "systemd sets both limits; give the other one too if they are to differ");
    }
  }
  for (const group_limit& one : job.group_limits) {
    lines += line(one.key.c_str(), std::to_string(one.value) + (one.key == "CPUQuota" ? "%" : ""));
  }
  return lines;
}

std::string unit_builder::priorities() {
  std::string lines;
  const bool background = job.process.type == process_type::background;
  constexpr int background_nice = 10;
  if (job.process.nice || background) {
    lines += line("Nice", std::to_string(job.process.nice.value_or(background_nice)));
  }
  if (background) lines += line("CPUSchedulingPolicy", "batch");
  if (job.process.low_priority_io || (background && job.process.low_priority_background_io)) {
    lines += line("IOSchedulingClass", "idle");
  } else if (background) {
    lines += line("IOSchedulingClass", "best-effort") + line("IOSchedulingPriority", "7");
  }
  return lines;
}

std::string unit_builder::restarts() {
  const auto& keep = job.keep;
  std::string lines;
  if (keep.always) {
    lines = line("Restart", "always");
  } else if (keep.successful_exit == false) {
    lines = line("Restart", "on-failure");
  } else if (keep.crashed == true) {
    lines = line("Restart", "on-abort");
    if (keep.successful_exit == true) lines += line("RestartForceExitStatus", "0");
  } else if (keep.successful_exit == true) {
    lines = line("Restart", "on-success");
  }
  if (keep.crashed == false) {
    warn("KeepAlive/Crashed", "systemd cannot start again all but what crashed");
  }
  for (const auto& [label, is_loaded] : keep.other_job) {
    warn("KeepAlive/OtherJobEnabled/" + label, "units depend on units; add Requires= and After=");
  }
  if (keep.after_initial_demand) {
    warn("KeepAlive/AfterInitialDemand", "the conditions count from the start of the machine on");
  }
  if (!lines.empty()) lines += line("RestartSec", std::to_string(job.throttle_interval.count()));
  return lines;
}

void unit_builder::add_service() {
  // Five quick ends in a row are enough, as for xpcd.
  constexpr int most_quick_ends = 5;
  std::string text = "[Unit]\n" + line("Description", label()) +
                     line("StartLimitIntervalSec",
                          std::to_string((most_quick_ends + 1) * job.throttle_interval.count())) +
                     line("StartLimitBurst", std::to_string(most_quick_ends)) + "\n[Service]\n";
  // What has names uses the library, which says when it is ready.
  const bool tells = !job.names.empty();
  text += line("Type", tells ? "notify" : "simple");
  if (tells) text += line("NotifyAccess", "main");
  if (tells && how.watchdog.count() > 0) {
    text += line("WatchdogSec", std::to_string(how.watchdog.count()));
  }
  if (!socket_units.empty()) {
    std::string all;
    for (const std::string& unit : socket_units) all += (all.empty() ? "" : " ") + unit;
    text += line("Sockets", all);
  }
  text += command() + environment() + identity() + files() + limits() + priorities() + restarts();
  text += line("KillMode", job.abandon_process_group ? "process" : "mixed");
  text +=
      line("TimeoutStopSec",
           job.exit_timeout.count() == 0 ? "infinity" : std::to_string(job.exit_timeout.count()));
  if (job.run_at_load || job.keep.always || job.keep.successful_exit || job.keep.crashed) {
    text += "\n[Install]\nWantedBy=default.target\n";
  }
  out.files[label() + ".service"] = std::move(text);
}

}  // namespace xpcctl
