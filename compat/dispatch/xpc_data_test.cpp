#include <dispatch/dispatch.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <string>

#include "dispatch/calls.hpp"

// libxpc and libxpc-dispatch in one program: the table was registered before main().

namespace {

using namespace dispatch_test;

std::string read(xpc_object_t data) {
  return std::string(static_cast<const char*>(xpc_data_get_bytes_ptr(data)),
                     xpc_data_get_length(data));
}

TEST(DispatchWithXpc, DataObjectLendsTheBytesOfDispatchData) {
  struct state {
    event gone;
    char bytes[5] = {'b', 'y', 't', 'e', 's'};
  } kept;
  dispatch_data_t data =
      dispatch_data_create_f(kept.bytes, sizeof kept.bytes, nullptr, &kept,
                             [](void* at) { static_cast<state*>(at)->gone.give(); });
  xpc_object_t object = xpc_data_create_with_dispatch_data(data);
  dispatch_release(data);
  EXPECT_EQ(xpc_get_type(object), XPC_TYPE_DATA);
  EXPECT_EQ(xpc_data_get_bytes_ptr(object), kept.bytes);  // no copy
  EXPECT_EQ(read(object), "bytes");
  xpc_release(object);
  kept.gone.wait();
}

TEST(DispatchWithXpc, SeveralPiecesBecomeOne) {
  owned<dispatch_data_t> one(dispatch_data_create_f("one ", 4, nullptr, nullptr, nullptr));
  owned<dispatch_data_t> two(dispatch_data_create_f("two", 3, nullptr, nullptr, nullptr));
  owned<dispatch_data_t> both(dispatch_data_create_concat(one, two));
  xpc_object_t object = xpc_data_create_with_dispatch_data(both);
  EXPECT_EQ(read(object), "one two");
  xpc_release(object);
  xpc_object_t empty = xpc_data_create_with_dispatch_data(dispatch_data_empty);
  EXPECT_EQ(xpc_data_get_length(empty), 0u);
  xpc_release(empty);
}

}  // namespace
