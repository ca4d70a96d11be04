#include "domain/directory.hpp"

#include "domain/socket_diag.hpp"
#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

namespace openxpc::domain {
namespace {

class DomainDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = xpc_testing::runtime_directory();
    path_ = root_ + "/domain";
  }

  std::string root_, path_;
};

TEST_F(DomainDirectory, IsMadePrivateAndLocked) {
  outcome<directory> first = directory::open(path_, false);
  ASSERT_TRUE(first) << first.error().text;
  struct stat status;
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  outcome<directory> second = directory::open(path_, false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, trouble::kind::conflict);
  EXPECT_NE(second.error().text.find("pid " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(DomainDirectory, T55_RefusesSymbolicLinksAndWritableDirectories) {
  std::filesystem::create_directory(root_ + "/real");
  std::filesystem::create_symlink(root_ + "/real", path_);
  outcome<directory> link = directory::open(path_, false);
  ASSERT_FALSE(link);
  EXPECT_NE(link.error().text.find("symbolic link"), std::string::npos);
  outcome<directory> through = directory::open(path_ + "/below", false);
  ASSERT_FALSE(through);
  EXPECT_NE(through.error().text.find("symbolic link"), std::string::npos);
  ASSERT_EQ(::chmod((root_ + "/real").c_str(), 0777), 0);
  outcome<directory> writable = directory::open(root_ + "/real", false);
  ASSERT_FALSE(writable);
  EXPECT_NE(writable.error().text.find("others may write"), std::string::npos);
}

TEST_F(DomainDirectory, T55_RefusesWhatBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT SHOWN: needs root to give a directory away";
  std::filesystem::create_directory(path_);
  ASSERT_EQ(::chown(path_.c_str(), 12345, 12345), 0);
  outcome<directory> other = directory::open(path_, false);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text.find("belongs to uid 12345"), std::string::npos);
}

TEST_F(DomainDirectory, MissingParentIsNamed) {
  outcome<directory> none = directory::open(root_ + "/no/domain", false);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, trouble::kind::not_found);
  EXPECT_NE(none.error().text.find(root_ + "/no/domain"), std::string::npos);
}

TEST_F(DomainDirectory, WhatAKilledOneLeftHalfDoneIsNotInTheWay) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  std::ofstream(path_ + "/.one.new") << "x";
  outcome<bound_name> listener = domain->publish("one");
  ASSERT_TRUE(listener) << listener.error().text;
  EXPECT_TRUE(domain->connect("one"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/.one.new"));
  std::filesystem::create_directory(path_ + "/.two.new");
  outcome<bound_name> refused = domain->publish("two");
  ASSERT_FALSE(refused) << "what is no file is not removed";
  EXPECT_EQ(refused.error().text.find(path_ + "/two: "), 0u) << refused.error().text;
}

TEST_F(DomainDirectory, PublishedNameCanBeReachedAndIsAsTheProtocolWants) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  const std::string longest(80, 'n');
  outcome<bound_name> listener = domain->publish(longest);
  ASSERT_TRUE(listener) << listener.error().text;
  EXPECT_TRUE(::fcntl(listener->socket.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(listener->socket.get(), F_GETFD) & FD_CLOEXEC);
  int passes = 0;
  socklen_t size = sizeof passes;
  ASSERT_EQ(::getsockopt(listener->socket.get(), SOL_SOCKET, SO_PASSCRED, &passes, &size), 0);
  EXPECT_EQ(passes, 1);
  base::fd client = domain->connect(longest);
  EXPECT_TRUE(client);
  base::fd accepted(::accept4(listener->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(accepted);
}

TEST_F(DomainDirectory, PublishingAgainRotates) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  outcome<bound_name> old = domain->publish("name");
  base::fd early = domain->connect("name");
  outcome<bound_name> fresh = domain->publish("name");
  ASSERT_TRUE(old && fresh);
  base::fd late = domain->connect("name");
  ASSERT_TRUE(early && late);
  base::fd a(::accept4(old->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  base::fd b(::accept4(old->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  base::fd c(::accept4(fresh->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(a);
  EXPECT_FALSE(b);
  EXPECT_TRUE(c);
}

TEST_F(DomainDirectory, T57_PreparedNamesAreRevealedTogetherOrNotAtAll) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain) << domain.error().text;
  const std::vector<std::string> names{"a", "fresh", "z"};
  const auto inode_of = [&](const std::string& name) {
    struct stat file;
    return domain->stat_name(name, &file) ? file.st_ino : 0;
  };
  const auto files = [&] {
    std::set<std::string> all;
    for (const auto& one : std::filesystem::directory_iterator(path_))
      all.insert(one.path().filename());
    return all;
  };
  const outcome<bound_name> a = domain->publish("a"), z = domain->publish("z");
  ASSERT_TRUE(a && z);
  const std::set<std::string> before = files();
  std::vector<bound_name> next;
  const auto prepare = [&] {
    next.clear();
    for (const std::string& name : names) next.push_back(std::move(*domain->prepare(name)));
  };
  prepare();
  domain->discard("z");
  const failure_of why = domain->reveal(names);
  ASSERT_TRUE(why);
  EXPECT_NE(why->text.find(path_ + "/z: No such file"), std::string::npos) << why->text;
  EXPECT_EQ(inode_of("a"), a->inode);
  EXPECT_EQ(inode_of("z"), z->inode);
  EXPECT_EQ(files(), before) << "nothing is left of the others";
  prepare();
  EXPECT_FALSE(domain->reveal(names));
  for (std::size_t at = 0; at < names.size(); ++at)
    EXPECT_EQ(inode_of(names[at]), next[at].inode) << names[at];
  std::set<std::string> after = before;
  after.insert("fresh");
  EXPECT_EQ(files(), after);
}

TEST_F(DomainDirectory, AFileThatIsNoSocketIsNotReplaced) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  std::ofstream(path_ + "/precious") << "text";
  outcome<bound_name> refused = domain->publish("precious");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, trouble::kind::conflict);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_ + "/precious"));
}

TEST_F(DomainDirectory, NoticesThatItWasRemovedOrMoved) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  EXPECT_TRUE(domain->is_in_place());
  std::filesystem::rename(path_, root_ + "/elsewhere");
  EXPECT_FALSE(domain->is_in_place());
  std::filesystem::rename(root_ + "/elsewhere", path_);
  EXPECT_TRUE(domain->is_in_place());
  std::filesystem::remove_all(path_);
  EXPECT_FALSE(domain->is_in_place());
}

TEST_F(DomainDirectory, CleanShutdownLeavesNothing) {
  {
    outcome<directory> domain = directory::open(path_, false);
    ASSERT_TRUE(domain);
    outcome<bound_name> listener = domain->publish("name");
    ASSERT_TRUE(listener);
    domain->withdraw("name", *listener);
    domain->remove_traces();
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DomainDirectory, ANameThatSomebodyReplacedIsNotRemoved) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  outcome<bound_name> mine = domain->publish("name");
  outcome<bound_name> theirs = domain->publish("name");
  ASSERT_TRUE(mine && theirs);
  domain->withdraw("name", *mine);
  EXPECT_TRUE(std::filesystem::exists(path_ + "/name"));
}

TEST_F(DomainDirectory, ReadOnlyDirectoryIsAClearError) {
  std::filesystem::create_directory(path_);
  ASSERT_EQ(::chmod(path_.c_str(), 0500), 0);
  // Root may write everywhere, so the test steps down meanwhile.
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
    ASSERT_EQ(::chmod(root_.c_str(), 0711), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  outcome<directory> domain = directory::open(path_, false);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(domain);
  EXPECT_EQ(domain.error().what, trouble::kind::denied);
  EXPECT_NE(domain.error().text.find(path_), std::string::npos) << domain.error().text;
}

TEST_F(DomainDirectory, T52_TheKernelSaysWhichFileASocketIsBoundTo) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  outcome<bound_name> honest = domain->publish("name");
  outcome<bound_name> other = domain->publish("other");
  ASSERT_TRUE(honest && other);
  struct stat file;
  ASSERT_TRUE(domain->stat_name("name", &file));
  EXPECT_TRUE(is_listener_of_file(honest->socket.get(), file));
  EXPECT_FALSE(is_listener_of_file(other->socket.get(), file));
  base::fd unbound(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(is_listener_of_file(unbound.get(), file));
  EXPECT_FALSE(is_listener_of_file(STDIN_FILENO, file));
  outcome<bound_name> rotated = domain->publish("name");
  ASSERT_TRUE(domain->stat_name("name", &file));
  EXPECT_FALSE(is_listener_of_file(honest->socket.get(), file));
  EXPECT_TRUE(is_listener_of_file(rotated->socket.get(), file));
}

TEST_F(DomainDirectory, WaitingConnectionsAreCounted) {
  outcome<directory> domain = directory::open(path_, false);
  ASSERT_TRUE(domain);
  outcome<bound_name> listener = domain->publish("name");
  base::fd one = domain->connect("name"), two = domain->connect("name");
  EXPECT_EQ(waiting_connections(listener->socket.get()), 2u);
  base::fd accepted(::accept4(listener->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(waiting_connections(listener->socket.get()), 1u);
}

}  // namespace
}  // namespace openxpc::domain
