#include "supervise/hardened.hpp"

#include <algorithm>
#include <cerrno>

namespace openxpc::supervise {

namespace {

bool has_group(const credentials& who, gid_t gid) {
  return who.gid == gid || std::find(who.groups.begin(), who.groups.end(), gid) != who.groups.end();
}

}  // namespace

failure_of harden(const job::process_setup& setup, const std::string& group,
                  std::optional<credentials>* who) {
  if (!setup.hardened && !*who) return std::nullopt;
  const std::optional<group_entry> found = group_of(group);
  if (!setup.hardened) {
    if (!found || !*who || !has_group(**who, found->gid)) return std::nullopt;
    return trouble{trouble::kind::denied,
                   std::string(setup.group.empty() ? "UserName" : "GroupName") + ": the group " +
                       group + " is for jobs with Hardened alone",
                   EPERM};
  }
  if (!found) {
    return trouble{trouble::kind::not_found,
                   "Hardened: there is no group " + group + ", see xpcd(8)"};
  }
  if (found->gid == 0 || !found->members.empty()) {
    return trouble{trouble::kind::denied,
                   "Hardened: the group " + group + " proves nothing, " +
                       (found->gid == 0 ? "it is root's" : found->members.front() + " is a member"),
                   EPERM};
  }
  if (!*who || (*who)->uid == 0) {
    return trouble{trouble::kind::denied,
                   "Hardened: UserName must not be root, who may read and change every process",
                   EPERM};
  }
  credentials& all = **who;
  if (std::find(all.groups.begin(), all.groups.end(), all.gid) == all.groups.end()) {
    all.groups.push_back(all.gid);
  }
  all.gid = found->gid;
  return std::nullopt;
}

}  // namespace openxpc::supervise
