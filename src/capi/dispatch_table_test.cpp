#include "capi/dispatch_table.hpp"

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>

// Each case changes what the process has loaded, so each is a process of its own: re-executed, with
// an exit status of 0 for success. The test program is linked to no dispatch library and exports
// its symbols, as libxpc.so does.

namespace openxpc::capi {
namespace {

void expect(bool holds, int status) {
  if (!holds) ::_exit(status);
}

bool is_named(const openxpc_dispatch_table_s* table, const char* name) {
  return table && std::strcmp(table->name, name) == 0;
}

class DispatchTable : public testing::Test {
 protected:
  DispatchTable() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(DispatchTable, WithoutALibraryIsMisuseThatNamesIt) {
  EXPECT_EQ(dispatch_table_if_any(), nullptr);
  EXPECT_DEATH(dispatch_table("xpc_connection_create"),
               "XPC API Misuse: xpc_connection_create: .*link libxpc-dispatch");
  int no_queue;
  EXPECT_DEATH(runs_on_queue(&no_queue, "xpc_session_send"), "xpc_session_send");
  EXPECT_FALSE(runs_on_queue(nullptr, "xpc_session_send"));
  EXPECT_FALSE(openxpc_dispatch_use_library(RTLD_DEFAULT));
}

TEST_F(DispatchTable, OursRegistersItselfWhereverItIsLoaded) {
  auto act = [] {
    expect(::dlopen(OPENXPC_TEST_OUR_DISPATCH, RTLD_NOW | RTLD_LOCAL) != nullptr, 1);
    const auto* table = dispatch_table_if_any();
    expect(is_named(table, "libxpc-dispatch"), 2);
    void* queue = table->get_main_queue();
    expect(runs_on_queue(queue, "test"), 3);
    expect(!runs_on_queue(table->get_default_queue(), "test"), 4);
    static bool ran = false;
    table->sync_f(table->get_default_queue(), nullptr, [](void*) {
      ran = runs_on_queue(dispatch_table("test").get_default_queue(), "test");
    });
    expect(ran, 5);
    ::_exit(0);
  };
  EXPECT_EXIT(act(), testing::ExitedWithCode(0), "");
}

TEST_F(DispatchTable, AnotherLibraryIsFoundAmongTheSymbolsOfTheProcess) {
  auto act = [] {
    expect(::dlopen(OPENXPC_TEST_OTHER_DISPATCH, RTLD_NOW | RTLD_GLOBAL) != nullptr, 1);
    const auto* table = dispatch_table_if_any();
    expect(is_named(table, "libdispatch"), 2);
    expect(table->data_get_size == nullptr && table->data_create_map == nullptr, 3);
    // It has no way to ask for the current queue; a queue-specific value tells.
    void* queue = table->get_default_queue();
    expect(!runs_on_queue(queue, "test"), 4);
    static bool ran = false;
    table->sync_f(queue, queue, [](void* mine) {
      ran = runs_on_queue(mine, "test") &&
            !runs_on_queue(dispatch_table("test").get_main_queue(), "test");
    });
    expect(ran, 5);
    ::_exit(0);
  };
  EXPECT_EXIT(act(), testing::ExitedWithCode(0), "");
}

TEST_F(DispatchTable, HiddenLibraryIsFoundThroughItsHandle) {
  auto act = [] {
    void* handle = ::dlopen(OPENXPC_TEST_OTHER_DISPATCH, RTLD_NOW | RTLD_LOCAL);
    expect(handle != nullptr && dispatch_table_if_any() == nullptr, 1);
    expect(openxpc_dispatch_use_library(handle), 2);
    expect(is_named(dispatch_table_if_any(), "libdispatch"), 3);
    ::_exit(0);
  };
  EXPECT_EXIT(act(), testing::ExitedWithCode(0), "");
}

TEST_F(DispatchTable, FirstRegistrationStands) {
  auto act = [] {
    static openxpc_dispatch_table_s first{}, second{};
    first.size = second.size = sizeof first;
    openxpc_dispatch_register(&first);
    openxpc_dispatch_register(&second);
    expect(dispatch_table_if_any() == &first, 1);
    void* handle = ::dlopen(OPENXPC_TEST_OTHER_DISPATCH, RTLD_NOW | RTLD_GLOBAL);
    expect(handle != nullptr && !openxpc_dispatch_use_library(handle), 2);
    expect(dispatch_table_if_any() == &first, 3);
    ::_exit(0);
  };
  EXPECT_EXIT(act(), testing::ExitedWithCode(0), "");
}

TEST_F(DispatchTable, TableOfAnOlderSizeIsMisuse) {
  static openxpc_dispatch_table_s small{};
  small.size = 8;
  EXPECT_DEATH(openxpc_dispatch_register(&small), "smaller than this library's");
}

}  // namespace
}  // namespace openxpc::capi
