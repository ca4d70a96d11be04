#include "supervise/hand_over.hpp"

#include <algorithm>
#include <array>

namespace openxpc::supervise {

namespace {

struct state_word {
  state at;
  const char* word;
};
constexpr std::array<state_word, 9> words{{{state::idle, "idle"},
                                           {state::throttled, "throttled"},
                                           {state::starting, "starting"},
                                           {state::running, "running"},
                                           {state::upgrading, "upgrading"},
                                           {state::stopping, "stopping"},
                                           {state::restarting, "restarting"},
                                           {state::removing, "removing"},
                                           {state::failed, "failed"}}};

void set_unsigned(xpc_object_t into, std::string_view key, std::uint64_t value) {
  set(into, key, static_cast<std::int64_t>(value));
}

std::uint64_t get_unsigned(xpc_object_t from, std::string_view key) {
  return static_cast<std::uint64_t>(get_integer(from, key).value_or(0));
}

bool get_flag(xpc_object_t from, std::string_view key) {
  return get_bool(from, key).value_or(false);
}

constexpr const char* as_xpcd = "private";
constexpr const char* as_user = "private-as-user";

void pack_number(xpc_object_t into, std::string_view key,
                 const std::optional<std::uint64_t>& value) {
  if (value) set_unsigned(into, key, *value);
}

std::optional<std::uint64_t> unpack_number(xpc_object_t from, std::string_view key) {
  const std::optional<std::int64_t> value = get_integer(from, key);
  return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

}  // namespace

const char* private_key(const job::process_setup& setup) {
  return setup.user.empty() ? as_xpcd : as_user;
}

xpc_object_t private_part(xpc_object_t from) {
  xpc_object_t given = get_object(from, as_xpcd);
  return given != nullptr ? given : get_object(from, as_user);
}

void pack_setup(const job::process_setup& setup, xpc_object_t into) {
  set_bool(into, "no-new-privileges", setup.no_new_privileges);
  if (setup.user.empty()) return;
  set(into, "user", setup.user);
  if (!setup.group.empty()) set(into, "group", setup.group);
  if (setup.groups) {
    object_ref groups = new_array();
    for (const gid_t one : *setup.groups) {
      object_ref group = new_dictionary();
      set(group.get(), "id", static_cast<std::int64_t>(one));
      append(groups.get(), std::move(group));
    }
    set(into, "groups", std::move(groups));
  }
  object_ref limits = new_array();
  for (const job::resource_limit& one : setup.limits) {
    object_ref limit = new_dictionary();
    set(limit.get(), "name", one.name);
    set(limit.get(), "resource", static_cast<std::int64_t>(one.resource));
    pack_number(limit.get(), "soft", one.soft);
    pack_number(limit.get(), "hard", one.hard);
    append(limits.get(), std::move(limit));
  }
  set(into, "limits", std::move(limits));
}

outcome<job::process_setup> unpack_setup(xpc_object_t from) {
  xpc_object_t given = private_part(from);
  job::process_setup setup;
  setup.no_new_privileges = get_bool(given, "no-new-privileges").value_or(true);
  if (get_object(from, as_user) == nullptr) return setup;
  setup.user = get_text(given, "user").value_or("");
  if (setup.user.empty())
    return trouble{trouble::kind::bad_input, "it is not said as whom it runs"};
  setup.group = get_text(given, "group").value_or("");
  if (get_object(given, "groups") != nullptr) setup.groups.emplace();
  each_in(given, "groups", [&](xpc_object_t one) {
    setup.groups->push_back(static_cast<gid_t>(get_unsigned(one, "id")));
  });
  each_in(given, "limits", [&](xpc_object_t one) {
    setup.limits.push_back({static_cast<int>(get_unsigned(one, "resource")),
                            get_text(one, "name").value_or(""), unpack_number(one, "soft"),
                            unpack_number(one, "hard")});
  });
  return setup;
}

const char* word_for(state at) noexcept {
  for (const state_word& one : words) {
    if (one.at == at) return one.word;
  }
  return "";
}

std::optional<state> state_of(std::string_view word) noexcept {
  for (const state_word& one : words) {
    if (word == one.word) return one.at;
  }
  return std::nullopt;
}

void set_instant(xpc_object_t into, std::string_view key, base::instant when) {
  if (when != base::never) set_unsigned(into, key, base::to_wire(when));
}

base::instant get_instant(xpc_object_t from, std::string_view key) {
  const std::optional<std::int64_t> when = get_integer(from, key);
  return when ? base::from_wire(static_cast<std::uint64_t>(*when)) : base::never;
}

object_ref pack(const run_result& last) {
  object_ref made = new_dictionary();
  if (last.status) set(made.get(), "status", static_cast<std::int64_t>(*last.status));
  set(made.get(), "pid", static_cast<std::int64_t>(last.pid));
  set_instant(made.get(), "when", last.when);
  set(made.get(), "lasted-ns", static_cast<std::int64_t>(last.lasted.count()));
  return made;
}

std::optional<run_result> unpack_end(xpc_object_t from, std::string_view key) {
  xpc_object_t given = get_object(from, key);
  if (given == nullptr) return std::nullopt;
  run_result last;
  if (const std::optional<std::int64_t> status = get_integer(given, "status")) {
    last.status = static_cast<int>(*status);
  }
  last.pid = static_cast<pid_t>(get_integer(given, "pid").value_or(0));
  last.when = get_instant(given, "when");
  last.lasted = std::chrono::nanoseconds(get_integer(given, "lasted-ns").value_or(0));
  return last;
}

object_ref pack(const file_identity& what) {
  object_ref made = new_dictionary();
  set_unsigned(made.get(), "device", what.device);
  set_unsigned(made.get(), "inode", what.inode);
  set(made.get(), "size", static_cast<std::int64_t>(what.size));
  set(made.get(), "modified-ns", what.modified_ns);
  return made;
}

file_identity unpack_identity(xpc_object_t from, std::string_view key) {
  xpc_object_t given = get_object(from, key);
  if (given == nullptr) return {};
  return {get_unsigned(given, "device"), get_unsigned(given, "inode"),
          get_integer(given, "size").value_or(0), get_integer(given, "modified-ns").value_or(0)};
}

object_ref pack(const domain::bound_name& bound, handover::outgoing& out) {
  object_ref made = new_dictionary();
  out.keep(made.get(), "socket", bound.socket.get());
  set_unsigned(made.get(), "device", bound.device);
  set_unsigned(made.get(), "inode", bound.inode);
  set_bool(made.get(), "hidden", bound.hidden);
  return made;
}

domain::bound_name unpack_bound(xpc_object_t from, handover::incoming& in) {
  domain::bound_name bound;
  bound.socket = in.take(from, "socket");
  bound.device = get_unsigned(from, "device");
  bound.inode = get_unsigned(from, "inode");
  bound.hidden = get_flag(from, "hidden");
  return bound;
}

object_ref pack(const program_image& image, handover::outgoing& out) {
  object_ref made = new_dictionary();
  out.keep(made.get(), "file", image.file.get());
  set(made.get(), "what", pack(image.what));
  set_bool(made.get(), "on-trial", image.on_trial);
  set_bool(made.get(), "held", image.held);
  return made;
}

program_image unpack_image(xpc_object_t from, std::string_view key, handover::incoming& in) {
  program_image image;
  xpc_object_t given = get_object(from, key);
  if (given == nullptr) return image;
  image.file = in.take(given, "file");
  image.what = unpack_identity(given, "what");
  image.on_trial = get_flag(given, "on-trial");
  image.held = get_flag(given, "held");
  return image;
}

object_ref pack(const job_run& run, handover::outgoing& out) {
  object_ref made = new_dictionary();
  xpc_object_t to = made.get();
  set(to, "pid", static_cast<std::int64_t>(run.id.pid));
  set_unsigned(to, "start-ticks", run.id.start_ticks);
  set_unsigned(to, "pidfd-inode", run.id.pidfd_inode);
  out.keep(to, "pidfd", run.pidfd.get());
  if (run.group) {
    out.keep(to, "group", run.group.borrowed_fd());
    set(to, "group-path", run.group.path());
  }
  set(to, "image", pack(run.image, out));
  set_bool(to, "asked-whether-idle", run.asked_whether_idle);
  set_bool(to, "child", run.child);
  set_bool(to, "asked", run.asked);
  set_bool(to, "estranged", run.estranged);
  set_bool(to, "linked", static_cast<bool>(run.link) || run.returns);
  set_instant(to, "started", run.started);
  if (run.transactions) set(to, "transactions", *run.transactions);
  return made;
}

std::optional<job_run> unpack_run(xpc_object_t from, std::string_view key, asio::io_context& loop,
                                  handover::incoming& in) {
  xpc_object_t given = get_object(from, key);
  if (given == nullptr) return std::nullopt;
  std::optional<job_run> run(std::in_place, loop);
  run->id.pid = static_cast<pid_t>(get_integer(given, "pid").value_or(0));
  run->id.start_ticks = get_unsigned(given, "start-ticks");
  run->id.pidfd_inode = get_unsigned(given, "pidfd-inode");
  run->pidfd = in.take(given, "pidfd");
  if (run->id.pid <= 0 || !run->pidfd) return std::nullopt;
  if (base::fd group = in.take(given, "group")) {
    run->group = job_cgroup(std::move(group), get_text(given, "group-path").value_or(""));
  }
  run->image = unpack_image(given, "image", in);
  run->asked_whether_idle = get_flag(given, "asked-whether-idle");
  run->child = get_flag(given, "child");
  run->asked = get_flag(given, "asked");
  run->estranged = get_flag(given, "estranged");
  run->returns = get_flag(given, "linked");
  const base::instant started = get_instant(given, "started");
  if (started != base::never) run->started = started;
  run->transactions = get_integer(given, "transactions");
  return run;
}

}  // namespace openxpc::supervise
