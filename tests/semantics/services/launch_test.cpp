// <launch.h>: the sockets of a job, and the old value trees.
#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/role.hpp"

#include <launch.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace {

namespace base = openxpc::base;

base::fd listening(int type) {
  base::fd made(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_EQ(::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  EXPECT_EQ(::listen(made.get(), 8), 0);
  return made;
}

std::string activated(const char* name) {
  int* fds = nullptr;
  size_t count = 0;
  if (int error = launch_activate_socket(name, &fds, &count))
    return std::to_string(error) + (fds || count ? " and changed its arguments" : "");
  std::string said;
  for (size_t i = 0; i < count; ++i) {
    int type = 0;
    socklen_t size = sizeof type;
    ::getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &size);
    said += (i ? " " : "") + std::string(type == SOCK_STREAM ? "stream" : "other") +
            (::fcntl(fds[i], F_GETFD) & FD_CLOEXEC ? "" : " stays open in children");
    ::close(fds[i]);
  }
  std::free(fds);
  return said;
}

XPC_TEST_ROLE(fetches_sockets) {
  for (const std::string& each : call.arguments) {
    if (each.find('=') != std::string::npos) {
      const std::size_t at = each.find('=');
      ::setenv(each.substr(0, at).c_str(), each.substr(at + 1).c_str(), 1);
    } else {
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      xpc_testing::say(activated(each.c_str()));
    }
  }
  return 0;
}

TEST(Launch, R247_ASocketEntryIsFetchedOnceWithAllItsDescriptors) {
  base::fd one = listening(SOCK_STREAM), two = listening(SOCK_STREAM),
           name = listening(SOCK_SEQPACKET);
  auto job = xpc_testing::child::role(
      "fetches_sockets",
      {.arguments = {"LISTEN_FDS=3", "LISTEN_FDNAMES=Listeners:org.example.name:Listeners",
                     "Listeners", "Listeners", "org.example.name", "nothing"},
       .borrowed_fds = {one.get(), name.get(), two.get()}});
  job.expect_line("stream stream");
  job.expect_line(std::to_string(EALREADY));
  job.expect_line(std::to_string(ENOENT));  // a service's name is no entry of Sockets
  job.expect_line(std::to_string(ENOENT));
  EXPECT_EQ(job.wait(), xpc_testing::ending{.status = 0});
}

TEST(Launch, R247_AnEntryOfTheServiceManagerIsTheProgramsWhateverItsForm) {
  base::fd entry = listening(SOCK_SEQPACKET), name = listening(SOCK_SEQPACKET);
  auto job = xpc_testing::child::role("fetches_sockets",
                                      {.arguments = {"OPENXPC_NAMES=same", "LISTEN_FDS=2",
                                                     "LISTEN_FDNAMES=same:same", "same", "same"},
                                       .borrowed_fds = {name.get(), entry.get()}});
  job.expect_line("other");
  job.expect_line(std::to_string(EALREADY));  // the service's socket of that name stays
  EXPECT_EQ(job.wait(), xpc_testing::ending{.status = 0});
}

TEST(Launch, NamesThatAreLeftOverFromAnotherProcessCountForNothing) {
  base::fd name = listening(SOCK_SEQPACKET), entry = listening(SOCK_STREAM);
  for (const char* left_over : {"OPENXPC_NAMES=org.example", "OPENXPC_NAMES=another",
                                "OPENXPC_NAMES=org.example.name:more:and:more"}) {
    auto job = xpc_testing::child::role(
        "fetches_sockets",
        {.arguments = {left_over, "LISTEN_FDS=2", "LISTEN_FDNAMES=org.example.name:more",
                       "org.example.name", "more"},
         .borrowed_fds = {name.get(), entry.get()}});
    job.expect_line(std::to_string(ENOENT));  // by what it is
    job.expect_line("stream");
    EXPECT_EQ(job.wait(), xpc_testing::ending{.status = 0}) << left_over;
  }
}

XPC_TEST_ROLE(runs_main_with_an_entry) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  xpc_main([](xpc_connection_t) {});
}

TEST(Launch, AnEntryOfTheServiceManagerIsNoNameForXpcMain) {
  base::fd entry = listening(SOCK_SEQPACKET);
  auto job = xpc_testing::child::role(
      "runs_main_with_an_entry",
      {.environment = {"LISTEN_FDS=1", "LISTEN_FDNAMES=org.example.name", "OPENXPC_NAMES="},
       .borrowed_fds = {entry.get()}});
  EXPECT_EQ(job.wait(), xpc_testing::ending{.status = EX_CONFIG});
}

TEST(Launch, R247_AProcessThatNobodyGaveSocketsToIsNoJob) {
  int* fds = nullptr;
  size_t count = 0;
  EXPECT_EQ(launch_activate_socket("Listeners", &fds, &count), ESRCH);
  EXPECT_EQ(fds, nullptr);
}

struct freed {
  void operator()(launch_data_t value) const { launch_data_free(value); }
};
using owned = std::unique_ptr<_launch_data, freed>;

TEST(LaunchData, ADictionaryOwnsWhatIsPutInAndKeepsTheOrder) {
  owned job(launch_data_alloc(LAUNCH_DATA_DICTIONARY));
  EXPECT_TRUE(launch_data_dict_insert(job.get(), launch_data_new_string("x"), LAUNCH_JOBKEY_LABEL));
  EXPECT_TRUE(launch_data_dict_insert(job.get(), launch_data_new_bool(true), "RunAtLoad"));
  EXPECT_TRUE(launch_data_dict_insert(job.get(), launch_data_new_string("y"), LAUNCH_JOBKEY_LABEL));
  EXPECT_EQ(launch_data_dict_get_count(job.get()), 2u);
  EXPECT_STREQ(launch_data_get_string(launch_data_dict_lookup(job.get(), "Label")), "y");
  std::string keys;
  launch_data_dict_iterate(
      job.get(),
      [](launch_data_t value, const char* key, void* context) {
        *static_cast<std::string*>(context) +=
            std::string(key) + "=" + std::to_string(launch_data_get_type(value)) + ";";
      },
      &keys);
  EXPECT_EQ(keys, "Label=7;RunAtLoad=6;");
  EXPECT_TRUE(launch_data_dict_remove(job.get(), "Label"));
  EXPECT_FALSE(launch_data_dict_remove(job.get(), "Label"));
  EXPECT_EQ(launch_data_dict_lookup(job.get(), "Label"), nullptr);
}

TEST(LaunchData, AnArrayGrowsWithNothingInBetween) {
  owned array(launch_data_alloc(LAUNCH_DATA_ARRAY));
  EXPECT_TRUE(launch_data_array_set_index(array.get(), launch_data_new_integer(7), 2));
  EXPECT_EQ(launch_data_array_get_count(array.get()), 3u);
  EXPECT_EQ(launch_data_array_get_index(array.get(), 0), nullptr);
  EXPECT_EQ(launch_data_get_integer(launch_data_array_get_index(array.get(), 2)), 7);
  EXPECT_EQ(launch_data_array_get_index(array.get(), 3), nullptr);
}

TEST(LaunchData, ACopyIsDeep) {
  owned array(launch_data_alloc(LAUNCH_DATA_ARRAY));
  launch_data_array_set_index(array.get(), launch_data_new_real(1.5), 0);
  owned copy(launch_data_copy(array.get()));
  EXPECT_TRUE(launch_data_set_real(launch_data_array_get_index(array.get(), 0), 2));
  EXPECT_EQ(launch_data_get_real(launch_data_array_get_index(copy.get(), 0)), 1.5);
}

TEST(LaunchData, EachKindReadsBackAndAnotherKindReadsAsNothing) {
  const char bytes[] = {1, 0, 2};
  owned number(launch_data_new_integer(-3)), yes(launch_data_new_bool(true)),
      text(launch_data_new_string("t")), opaque(launch_data_new_opaque(bytes, sizeof bytes)),
      fd(launch_data_new_fd(5)), port(launch_data_new_machport(9)),
      error(launch_data_alloc(LAUNCH_DATA_ERRNO));
  EXPECT_EQ(launch_data_get_integer(number.get()), -3);
  EXPECT_TRUE(launch_data_get_bool(yes.get()));
  EXPECT_EQ(launch_data_get_opaque_size(opaque.get()), 3u);
  EXPECT_EQ(std::memcmp(launch_data_get_opaque(opaque.get()), bytes, 3), 0);
  EXPECT_EQ(launch_data_get_fd(fd.get()), 5);
  EXPECT_EQ(launch_data_get_machport(port.get()), 9u);
  EXPECT_EQ(launch_data_get_errno(error.get()), 0);
  EXPECT_TRUE(launch_data_set_string(text.get(), "other"));
  EXPECT_STREQ(launch_data_get_string(text.get()), "other");
  EXPECT_EQ(launch_data_get_integer(text.get()), 0);
  EXPECT_EQ(launch_data_get_fd(number.get()), -1);
  EXPECT_EQ(launch_data_get_string(number.get()), nullptr);
  EXPECT_FALSE(launch_data_set_integer(text.get(), 1));
  EXPECT_FALSE(launch_data_dict_insert(text.get(), number.get(), "k"));
}

TEST(LaunchData, WhatNeedsLaunchdFailsAndSaysSo) {
  errno = 0;
  EXPECT_EQ(launch_get_fd(), -1);
  EXPECT_EQ(errno, ENOTSUP);
  errno = 0;
  owned request(launch_data_new_string(LAUNCH_KEY_CHECKIN));
  EXPECT_EQ(launch_msg(request.get()), nullptr);
  EXPECT_EQ(errno, ENOTSUP);
}

TEST(LaunchDataDeathTest, AKindThatThereIsNotIsMisuse) {
  EXPECT_DEATH(owned(launch_data_alloc(static_cast<launch_data_type_t>(11))),
               "XPC API Misuse: launch_data_alloc: 11 is no kind of value");
}

}  // namespace
