#include "base/program_places.hpp"

#include <gtest/gtest.h>

namespace openxpc::base {
namespace {

using places = std::vector<std::string>;

TEST(ProgramPlaces, AnApplicationHasItsServicesInItsBundle) {
  EXPECT_EQ(bundle_places("/opt/Demo.app/Contents/MacOS/Demo"),
            places{"/opt/Demo.app/Contents/XPCServices"});
}

TEST(ProgramPlaces, AnInstalledProgramHasItsOwnAndThoseOfItsPrefix) {
  for (const char* bin : {"bin", "sbin", "libexec"})
    EXPECT_EQ(bundle_places(std::string("/usr/") + bin + "/demo"),
              (places{"/usr/lib/demo/XPCServices", "/usr/lib/xpc/services"}));
  EXPECT_EQ(bundle_places("/bin/demo"), (places{"/lib/demo/XPCServices", "/lib/xpc/services"}));
}

TEST(ProgramPlaces, AnyOtherProgramHasThemInItsOwnDirectory) {
  EXPECT_EQ(bundle_places("/home/me/build/demo"), places{"/home/me/build/XPCServices"});
  EXPECT_EQ(bundle_places("/opt/MacOS/demo"), places{"/opt/MacOS/XPCServices"});
  EXPECT_EQ(bundle_places("/demo"), places{"/XPCServices"});
}

TEST(ProgramPlaces, WhatIsNoAbsolutePathHasNone) {
  EXPECT_EQ(bundle_places(""), places{});
  EXPECT_EQ(bundle_places("demo"), places{});
  EXPECT_EQ(bundle_places("./bin/demo"), places{});
  EXPECT_EQ(bundle_places("/usr/bin/"), places{});
}

}  // namespace
}  // namespace openxpc::base
