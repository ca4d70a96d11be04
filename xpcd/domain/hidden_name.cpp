// Names that are bound and not to be found: HideUntilCheckIn.

#include "domain/directory.hpp"

#include <unistd.h>

#include <cstdio>

namespace openxpc::domain {

std::string directory::file_of(std::string_view name, bool hidden) {
  return hidden ? "." + std::string(name) + ".hidden" : std::string(name);
}

outcome<bound_name> directory::publish_hidden(std::string_view name) const {
  outcome<bound_name> bound = bind_unseen(name, file_of(name, true));
  if (!bound) return bound;
  // What an xpcd before this one left visible; that it is a socket was looked at.
  ::unlinkat(fd_.get(), std::string(name).c_str(), 0);
  bound->hidden = true;
  return bound;
}

failure_of directory::move_name(std::string_view name, bound_name& bound, bool hidden) const {
  if (bound.hidden == hidden) return std::nullopt;
  const std::string from = file_of(name, bound.hidden), to = file_of(name, hidden);
  struct stat file, before;
  if (!stat_name(from, &file) || file.st_dev != bound.device || file.st_ino != bound.inode) {
    return trouble{trouble::kind::conflict,
                   path_ + "/" + from + ": the socket is not there any more"};
  }
  if (stat_name(to, &before) && !S_ISSOCK(before.st_mode)) {
    return trouble{trouble::kind::conflict,
                   path_ + "/" + to + ": a file that is no socket has this name"};
  }
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) < 0) {
    return system_trouble(errno, path_ + "/" + to);
  }
  bound.hidden = hidden;
  return std::nullopt;
}

failure_of directory::show(std::string_view name, bound_name& bound) const {
  return move_name(name, bound, false);
}

failure_of directory::hide(std::string_view name, bound_name& bound) const {
  return move_name(name, bound, true);
}

}  // namespace openxpc::domain
