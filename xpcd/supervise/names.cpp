// Names and sockets of jobs: binding, watching, refusing, rotating.

#include "base/poll_now.hpp"
#include "domain/socket_diag.hpp"
#include "supervise/private_place.hpp"
#include "supervise/sockets.hpp"
#include "supervise/supervisor.hpp"

#include <xpc/openxpc/error.h>
#include <xpc/openxpc/service.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>

namespace openxpc::supervise {

namespace {

/// Kept for launching, and for answering verbs: a name that would need one of them is not bound.
constexpr rlim_t kept_descriptors = 64;

/// Whether the table of descriptors is so full that this one, the lowest that was free, is one of
/// the last. @return why there is none for a name, or nothing.
failure_of no_room_for(const outcome<domain::bound_name>& bound) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return std::nullopt;
  const bool full = !bound && (bound.error().number == EMFILE || bound.error().number == ENFILE);
  const bool last = bound && limit.rlim_cur > kept_descriptors &&
                    static_cast<rlim_t>(bound->socket.get()) >= limit.rlim_cur - kept_descriptors;
  if (!full && !last) return std::nullopt;
  return trouble{trouble::kind::unavailable,
                 "xpcd may have " + std::to_string(limit.rlim_cur) + " descriptors, and the last " +
                     std::to_string(kept_descriptors) +
                     " are kept for launching; raise the hard limit that it is started with "
                     "(ulimit -Hn, LimitNOFILE=)",
                 EMFILE};
}

/// What the kernel makes of domain::backlog.
std::uint32_t most_backlog() {
  static const std::uint32_t most = [] {
    unsigned allowed = 0;
    std::FILE* file = std::fopen("/proc/sys/net/core/somaxconn", "re");
    if (file == nullptr || std::fscanf(file, "%u", &allowed) != 1) allowed = 0;
    if (file != nullptr) std::fclose(file);
    return std::min<std::uint32_t>(allowed, domain::backlog);
  }();
  return most;
}

/// Sets right what a service may have changed at a socket that it shared. @return what it was;
/// empty when it was nothing.
std::string mend(int borrowed_socket) {
  std::string changed;
  const int flags = ::fcntl(borrowed_socket, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) changed = "O_NONBLOCK was cleared";
  const std::optional<domain::socket_facts> facts = domain::ask_kernel(borrowed_socket);
  if (facts && facts->listening && facts->backlog < most_backlog()) {
    changed += changed.empty() ? "" : ", ";
    changed += "the backlog was shrunk to " + std::to_string(facts->backlog);
  }
  ::fcntl(borrowed_socket, F_SETFL, O_NONBLOCK);
  ::listen(borrowed_socket, domain::backlog);
  return changed;
}

}  // namespace

failure_of supervisor::bind_names(supervised& job) {
  for (const std::string& text : job.job.names) {
    owned_name name(loop_, text, job.job.options_of(text));
    name.apart = job.apart.get();
    outcome<domain::bound_name> bound = bind_name(name, name.options.hide_until_check_in);
    if (failure_of full = no_room_for(bound)) {
      if (bound && name.apart == nullptr) directory_.withdraw(text, *bound);
      bound = *full;
    }
    if (!bound) {
      unbind_names(job, OPENXPC_ERROR_NOT_FOUND, job.job.label + ": could not be loaded");
      trouble why = bound.error();
      why.text = job.job.label + ": the name " + text + " cannot be bound: " + why.text;
      return why;
    }
    name.bound = std::move(*bound);
    if (!job.apart) owners_[text] = job.job.label;
    job.names.push_back(std::move(name));
  }
  return std::nullopt;
}

outcome<domain::bound_name> supervisor::bind_name(const owned_name& name, bool hidden) const {
  if (name.apart != nullptr) return publish_private(directory_, name.apart);
  return hidden ? directory_.publish_hidden(name.name) : directory_.publish(name.name);
}

/// The service is ready: from now on everybody finds it.
void supervisor::show_names(supervised& job) {
  for (owned_name& name : job.names) {
    if (!name.bound.socket) continue;
    if (failure_of why = directory_.show(name.name, name.bound)) {
      say(job.job.label, "the name " + name.name + " stays hidden: " + why->text);
    }
  }
}

void supervisor::hide_name(supervised& job, owned_name& name) {
  if (!name.bound.socket) {
    name.bound.hidden = true;  // the one that is bound next
  } else if (failure_of why = directory_.hide(name.name, name.bound)) {
    say(job.job.label, "the name " + name.name + " is not hidden: " + why->text);
  }
}

void supervisor::unbind_names(supervised& job, std::uint32_t code, const std::string& text) {
  for (owned_name& name : job.names) {
    name.listener_watch.stop();
    if (name.apart == nullptr) {
      owners_.erase(name.name);
      directory_.withdraw(name.name, name.bound);
    }
    if (name.bound.socket) retire(std::move(name.bound.socket), code, 0, text);
  }
  job.names.clear();
}

/// Tells whoever waits at a socket that it leads nowhere any more, and makes that true for every
/// holder of it.
void supervisor::retire(base::fd listener, std::uint32_t code, std::uint32_t flags,
                        std::string text) {
  refuser::order order;
  order.listener = std::move(listener);
  order.code = code;
  order.flags = flags;
  order.text = std::move(text);
  order.close_for_good = true;
  refuser_.take(std::move(order));
}

void supervisor::update_watches(const job_ref& job) {
  watch_sockets(job);
  const bool wanted = (watches_listeners(job->at) && job->refusing == 0) ||
                      (job->run && job->run->estranged && !is_ending(job->at));
  for (owned_name& name : job->names) {
    if (!wanted || !name.bound.socket) {
      name.listener_watch.stop();
    } else if (!name.listener_watch.is_on()) {
      const bool watched = name.listener_watch.start(
          name.bound.socket.get(), [self = self_, weak = std::weak_ptr(job), text = name.name] {
            job_ref here = weak.lock();
            if (*self != nullptr && here) (*self)->on_listener(here, text);
          });
      if (!watched) say(job->job.label, name.name + " cannot be watched; kickstart it by hand");
    }
  }
}

void supervisor::on_listener(const job_ref& job, const std::string& text) {
  for (owned_name& name : job->names) {
    if (name.name != text) continue;
    name.listener_watch.stop();
    if (const short there = base::poll_now(name.bound.socket.get(), POLLIN | POLLRDHUP)) {
      if (there & (POLLRDHUP | POLLHUP)) {
        say(job->job.label, "somebody shut the listening socket of " + text + " down; bound anew");
        rotate(*job, name);
      } else if (there & POLLIN) {
        if (job->run && job->run->estranged) return apply(job, event::restart);
        return apply(job, event::activity);
      }
    }
    break;
  }
  update_watches(job);
}

std::vector<socket_file> supervisor::socket_files_of(const supervised& job) {
  if (job.sockets.empty()) return job.had_files;
  std::vector<socket_file> all;
  for (const owned_socket& one : job.sockets) {
    if (one.it.directory) all.push_back({one.it.address, one.it.device, one.it.inode});
  }
  return all;
}

void supervisor::prepare_bootstrap(const std::vector<job::socket_entry>& sockets,
                                   base::function<void()> ready) const {
  look_ahead(sockets, 0, directory_.is_system(), std::move(ready));
}

failure_of supervisor::bind_sockets(supervised& job) {
  std::vector<owned_socket> all;
  failure_of wrong;
  for (const job::socket_entry& entry : job.job.sockets) {
    outcome<std::vector<open_socket>> opened =
        open_sockets(entry, directory_.is_system(), job.had_files);
    if (!opened) {
      wrong = opened.error();
      break;
    }
    for (open_socket& one : *opened) all.emplace_back(loop_, std::move(one));
  }
  if (wrong) {
    for (const owned_socket& one : all) remove_file(one.it);
    wrong->text = job.job.label + ": " + wrong->text;
    return wrong;
  }
  job.sockets = std::move(all);
  return std::nullopt;
}

void supervisor::unbind_sockets(supervised& job) {
  for (owned_socket& one : job.sockets) {
    one.activity_watch.stop();
    remove_file(one.it);
  }
  job.sockets.clear();
}

/// Somebody else has the address: a child that a service left behind, who knows who else. What he
/// has is never taken from him; the job listens again when he lets go.
void supervisor::bind_later(const supervised& job, const trouble& why) {
  say(job.job.label, why.text + "; tried again every second");
  if (unbound_.insert(job.job.label).second) retry_binding();
}

void supervisor::retry_binding() {
  if (unbound_.empty()) return;
  bind_timer_.expires_after(std::chrono::seconds(1));
  bind_timer_.async_wait([self = self_](const asio::error_code& error) {
    if (!error && *self != nullptr) (*self)->bind_unbound();
  });
}

void supervisor::bind_unbound() {
  std::erase_if(unbound_, [this](const std::string& label) {
    const job_ref job = find(label);
    // A process that it has got meanwhile ends one day: then it is settled.
    if (!job || job->run || !job->sockets.empty()) return true;
    if (bind_sockets(*job)) return false;
    say(label, "listens at its sockets again");
    if (failure_of why = save(*job)) say(label, why->text);
    update_watches(job);
    return true;
  });
  retry_binding();
}

/// In failed nobody is refused here: not every protocol has a word for it. Clients wait.
void supervisor::watch_sockets(const job_ref& job) {
  for (owned_socket& one : job->sockets) {
    if (job->at != state::idle) {
      one.activity_watch.stop();
    } else if (!one.activity_watch.is_on()) {
      const bool watched =
          one.activity_watch.start(one.it.fd.get(), [self = self_, weak = std::weak_ptr(job)] {
            job_ref here = weak.lock();
            if (*self == nullptr || !here || here->at != state::idle) return;
            for (owned_socket& each : here->sockets) each.activity_watch.stop();
            if (has_waiting_socket(*here)) return (*self)->apply(here, event::activity);
            (*self)->update_watches(here);
          });
      if (!watched)
        say(job->job.label, one.it.address + " cannot be watched; kickstart it by hand");
    }
  }
}

bool supervisor::has_waiting_socket(const supervised& job) {
  for (const owned_socket& one : job.sockets) {
    if (base::poll_now(one.it.fd.get(), POLLIN) & POLLIN) return true;
  }
  return false;
}

/// After a run: the job shared the sockets; or an xpcd before this one had them.
void supervisor::settle_sockets(supervised& job) {
  if (job.sockets.empty() && !job.job.sockets.empty()) {
    if (failure_of why = bind_sockets(job)) bind_later(job, *why);
    return;
  }
  for (const owned_socket& one : job.sockets) {
    ::fcntl(one.it.fd.get(), F_SETFL, O_NONBLOCK);
    int listens = 0;
    socklen_t size = sizeof listens;
    ::getsockopt(one.it.fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    if (listens) ::listen(one.it.fd.get(), domain::backlog);
  }
}

void supervisor::refuse_waiting(const job_ref& job) {
  for (owned_name& name : job->names) {
    name.listener_watch.stop();
    if (!name.bound.socket) continue;
    refuser::order order;
    order.listener = base::fd::copy(name.bound.socket.get());
    if (!order.listener) continue;
    order.code = OPENXPC_ERROR_LAUNCH_FAILED;
    order.text = job->reason;
    ++job->refusing;
    order.done = [self = self_, weak = std::weak_ptr(job), &loop = loop_] {
      asio::post(loop, [self, weak] {
        job_ref here = weak.lock();
        if (*self == nullptr || !here) return;
        --here->refusing;
        if (here->at != state::gone) (*self)->update_watches(here);
      });
    };
    refuser_.take(std::move(order));
  }
}

/// After a run: whoever shared the sockets may have changed them, and may still hold them.
void supervisor::settle_names(supervised& job, bool rotate_all) {
  for (owned_name& name : job.names) {
    if (name.options.hide_until_check_in) hide_name(job, name);
    const int socket = name.bound.socket.get();
    const bool usable =
        socket >= 0 && (base::poll_now(socket, POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR)) == 0;
    if (rotate_all || !usable || name.options.reset_at_close) {
      rotate(job, name);
    } else {
      const std::string changed = mend(socket);
      if (changed.empty()) continue;
      const std::string line = meddling_.take(
          "its socket of " + name.name + " is set right: " + changed, base::boot_clock::now());
      if (!line.empty()) say(job.job.label, line);
    }
  }
}

void supervisor::rotate(supervised& job, owned_name& name) {
  outcome<domain::bound_name> fresh = bind_name(name, name.bound.hidden);
  if (!fresh) {
    say(job.job.label, "the name " + name.name + " keeps its old socket: " + fresh.error().text);
    return;
  }
  name.listener_watch.stop();
  base::fd old = std::move(name.bound.socket);
  name.bound = std::move(*fresh);
  if (old) {
    retire(std::move(old), OPENXPC_ERROR_INTERRUPTED,
           OPENXPC_REFUSAL_MAY_RETRY | OPENXPC_REFUSAL_MOVED, "the service's socket was replaced");
  }
}

}  // namespace openxpc::supervise
