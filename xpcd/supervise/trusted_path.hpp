#pragma once

#include "base/fd.hpp"
#include "job/outcome.hpp"

#include <sys/types.h>

#include <string>

/// Files that only root, or one user beside it, can have put where they are.
namespace openxpc::supervise {

/// How far a walk along a path goes: `near` ends (EXDEV) where a file system begins that is not
/// this machine's own (served_mount.hpp), and so asks none of them.
enum class reach : unsigned char { anywhere, near };

/// Opens what an absolute path leads to (O_PATH) while it looks at each step: every directory, link
/// and the file itself must belong to root, and be writable for nobody else; a directory where
/// others may write is passed only if it is sticky, for there nobody can replace root's files. What
/// was looked at is what is opened, so nothing can be swapped in between.
/// Errors (denied) name the step; or the system's word.
outcome<base::fd> open_trusted(const std::string& path, reach how_far = reach::anywhere);

/// The same where that directory is "/": neither links nor ".." lead out of it. Messages name the
/// steps as they are called inside. The directory itself is not judged.
outcome<base::fd> open_trusted_in(int borrowed_root, const std::string& path);

/// open_trusted() where files of that user count as well as root's.
outcome<base::fd> open_owned(const std::string& path, uid_t owner);

/// Whether a path leads to something on the file systems of this machine by steps that nobody but
/// root and this user can change (as open_owned() judges them), so that looking at it cannot hang,
/// whatever others do. Asks no other file system.
bool is_near(const std::string& path);

/// Opens (O_PATH) what a path leads to on the file systems of this machine: looking at it by this
/// descriptor cannot hang. Where the kernel has the way at hand that is a single call, which goes
/// by no one's word; otherwise the way is walked as is_near() does.
/// @return empty when it leads elsewhere, or when whether it does cannot be told
base::fd open_near(const std::string& path);

/// open_trusted() for the directory that a file stands in; `*name` gets the last part of the path.
outcome<base::fd> open_trusted_parent(const std::string& path, std::string* name);

}  // namespace openxpc::supervise
