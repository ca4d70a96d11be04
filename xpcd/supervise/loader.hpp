#pragma once

namespace openxpc::supervise {

/// Whether the kernel, when it starts this ELF file, opens no other file but one that nobody but
/// root can have put there, on a file system of this machine: the program that loads its libraries,
/// which it names. Everything else it opens by itself, as a process of its own.
/// @param borrowed_file  open for reading
/// @return false also where that cannot be told
bool has_near_loader(int borrowed_file);

}  // namespace openxpc::supervise
