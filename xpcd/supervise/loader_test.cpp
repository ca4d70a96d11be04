#include "supervise/loader.hpp"

#include "base/fd.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>

namespace openxpc::supervise {
namespace {

/// An ELF file that names this loader; empty: none.
std::string elf_with(const std::string& loader) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr segments[2]{};
  segments[0].p_type = PT_LOAD;
  segments[1].p_type = loader.empty() ? PT_NOTE : PT_INTERP;
  segments[1].p_offset = sizeof header + sizeof segments;
  segments[1].p_filesz = loader.size() + 1;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
         std::string(reinterpret_cast<const char*>(segments), sizeof segments) + loader + '\0';
}

bool starts_near(const std::string& content) {
  const std::string path = xpc_testing::runtime_directory() + "/program";
  std::ofstream(path, std::ios::binary) << content;
  const base::fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return has_near_loader(file.get());
}

TEST(Loader, IsNearInProgramsOfThisMachine) {
  const base::fd shell(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(has_near_loader(shell.get()));
}

TEST(Loader, IsNotNeededByStaticPrograms) { EXPECT_TRUE(starts_near(elf_with(""))); }

TEST(Loader, IsNotNearWhereOthersThanRootCanPutOne) {
  const std::string own = xpc_testing::runtime_directory() + "/ld.so";
  std::ofstream(own) << "one of ours";
  // What a user, or whoever is in a group, has made can be replaced by a way to anywhere.
  ASSERT_EQ(::chmod(own.c_str(), 0666), 0);
  EXPECT_FALSE(starts_near(elf_with(own)));
  EXPECT_FALSE(starts_near(elf_with("/lib/../" + own)));
  EXPECT_FALSE(starts_near(elf_with("/lib/no-such-loader"))) << "there is none yet";
  EXPECT_FALSE(starts_near(elf_with("ld.so"))) << "wherever that is";
}

TEST(Loader, IsNotKnownWhereTheFileIsNoElfFileOrEndsTooEarly) {
  const std::string whole = elf_with("/lib64/ld.so");
  EXPECT_FALSE(starts_near(""));
  EXPECT_FALSE(starts_near("#!/bin/sh\n"));
  for (std::size_t size = 0; size < whole.size() - 1; ++size)
    EXPECT_FALSE(starts_near(whole.substr(0, size))) << size;
  std::string wrong = whole;
  // Offsets from here to eternity.
  std::memset(wrong.data() + offsetof(Elf64_Ehdr, e_phoff), 0xff, 8);
  EXPECT_FALSE(starts_near(wrong));
  wrong = whole;
  std::memset(
      wrong.data() + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_offset), 0xff,
      16);
  EXPECT_FALSE(starts_near(wrong));
}

}  // namespace
}  // namespace openxpc::supervise
