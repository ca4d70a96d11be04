// semantics.md, section 19: shared memory, descriptors, Mach rights.
#include "base/fd.hpp"
#include "support/child.hpp"
#include "support/resources.hpp"
#include "support/role.hpp"

#include <xpc/private.h>
#include <xpc/xpc.h>

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "semantics/owned.hpp"
#include "semantics/talk.hpp"

namespace {

namespace base = openxpc::base;
using semantics::no_object;
using semantics::owned;

const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

/// A mapping that ends with it.
class memory {
 public:
  memory() = default;
  memory(std::size_t bytes, int rights = PROT_READ | PROT_WRITE,
         int flags = MAP_SHARED | MAP_ANONYMOUS, int fd = -1, off_t offset = 0)
      : at_(::mmap(nullptr, bytes, rights, flags, fd, offset)), bytes_(bytes) {
    EXPECT_NE(at_, MAP_FAILED);
  }
  explicit memory(xpc_object_t shmem) { bytes_ = xpc_shmem_map(shmem, &at_); }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  ~memory() { unmap(); }
  void unmap() {
    if (bytes_) ::munmap(at_, std::exchange(bytes_, 0));
  }
  char* text() const { return static_cast<char*>(at_); }
  void* at() const { return at_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* at_ = nullptr;
  std::size_t bytes_ = 0;
};

base::fd memory_file(std::size_t bytes, unsigned flags = MFD_ALLOW_SEALING) {
  base::fd made(::memfd_create("test", MFD_CLOEXEC | flags));
  EXPECT_EQ(::ftruncate(made.get(), static_cast<off_t>(bytes)), 0);
  return made;
}

base::fd disk_file(std::size_t bytes) {
  std::string path = std::string(::getenv("XDG_RUNTIME_DIR")) + "/file";
  base::fd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  EXPECT_EQ(::ftruncate(made.get(), static_cast<off_t>(bytes)), 0);
  return made;
}

/// What a peer would get: an object that came in a message.
class crossing {
 public:
  crossing() : service_([](xpc_connection_t, xpc_object_t event) { answer(event); }) {
    client_ = service_.connect(talk::into(events_));
  }
  ~crossing() { talk::finish(client_, events_); }
  owned operator()(xpc_object_t value) {
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_value(message, "value", value);
    owned reply(xpc_connection_send_message_with_reply_sync(client_, message));
    xpc_object_t back = xpc_dictionary_get_value(reply, "value");
    return back ? xpc_retain(back) : nullptr;
  }

 private:
  static void answer(xpc_object_t event) {
    if (xpc_get_type(event) != XPC_TYPE_DICTIONARY) return;
    owned reply(xpc_dictionary_create_reply(event));
    xpc_dictionary_set_value(reply, "value", xpc_dictionary_get_value(event, "value"));
    xpc_connection_send_message(xpc_dictionary_get_remote_connection(event), reply);
  }
  talk::service service_;
  talk::events events_;
  xpc_connection_t client_;
};

/// The library keeps the file of a region until it sees, at the next end of such an object, that
/// the region is gone.
class SemanticsSharedMemory : public testing::Test {
 protected:
  void TearDown() override {
    base::fd file = memory_file(1);
    xpc_release(openxpc_shmem_create_from_fd(file.get(), 1));
  }
};

TEST_F(SemanticsSharedMemory, R204_AnonymousSharedMemoryIsReplacedInPlaceAndKeepsItsContent) {
  crossing send;
  memory mine(3 * page);
  std::strcpy(mine.text(), "before");
  std::strcpy(mine.text() + 2 * page, "third page");
  owned box(xpc_shmem_create(mine.at(), 3 * page));
  ASSERT_TRUE(box);
  EXPECT_STREQ(mine.text(), "before");
  owned got = send(box);
  memory theirs(got);
  ASSERT_EQ(theirs.bytes(), 3 * page);
  EXPECT_STREQ(theirs.text(), "before");
  EXPECT_STREQ(theirs.text() + 2 * page, "third page");
  std::strcpy(mine.text(), "after");
  EXPECT_STREQ(theirs.text(), "after");
  std::strcpy(theirs.text(), "back");
  EXPECT_STREQ(mine.text(), "back");
}

TEST_F(SemanticsSharedMemory, R204_TheSameRegionBoxedAgainIsTheSameMemory) {
  memory mine(page);
  memory first, second;
  {
    owned box(xpc_shmem_create(mine.at(), page));
    new (&first) memory(box);
  }  // nobody has a descriptor of it any more but the library
  owned box(xpc_shmem_create(mine.at(), page));
  new (&second) memory(box);
  std::strcpy(first.text(), "one");
  EXPECT_STREQ(second.text(), "one");
  EXPECT_STREQ(mine.text(), "one");
}

TEST_F(SemanticsSharedMemory, R204_WhatIsMappedNowhereIsNotKept) {
  const std::size_t before = xpc_testing::descriptor_count();
  for (int i = 0; i < 20; ++i) {
    memory mine(page);
    xpc_release(xpc_shmem_create(mine.at(), page));
  }
  memory last(page);
  xpc_release(xpc_shmem_create(last.at(), page));
  last.unmap();
  owned box(xpc_shmem_create(memory(page).at(), page));
  EXPECT_LE(xpc_testing::descriptor_count(), before + 1);
}

TEST_F(SemanticsSharedMemory, R204_AFileInMemoryGoesByItsDescriptor) {
  base::fd file = memory_file(2 * page);
  memory mine(2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get());
  owned box(xpc_shmem_create(mine.at(), 2 * page));
  ASSERT_TRUE(box);
  base::fd same(openxpc_shmem_dup_fd(box));
  struct stat one{}, other{};
  ASSERT_EQ(::fstat(file.get(), &one), 0);
  ASSERT_EQ(::fstat(same.get(), &other), 0);
  EXPECT_EQ(one.st_ino, other.st_ino);
  // Part of a file that does not begin where it begins cannot be told in a message.
  errno = 0;
  EXPECT_EQ(xpc_shmem_create(mine.text() + page, page), nullptr);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(SemanticsSharedMemory, R204_AFileOnDiskIsFoundByItsNameToo) {
  base::fd file = disk_file(page);
  memory mine(page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get());
  file.reset();
  owned box(xpc_shmem_create(mine.at(), page));
  ASSERT_TRUE(box);
  memory again(box);
  ASSERT_EQ(again.bytes(), page);
  std::strcpy(again.text(), "file");
  EXPECT_STREQ(mine.text(), "file");
}

TEST_F(SemanticsSharedMemory, R204_FromADescriptor) {
  crossing send;
  base::fd file = memory_file(page);
  owned box(openxpc_shmem_create_from_fd(file.get(), 100));
  ASSERT_TRUE(box);
  EXPECT_EQ(openxpc_shmem_get_length(box), 100u);
  EXPECT_EQ(xpc_shmem_get_length(box), 100u);
  owned got = send(box);
  memory theirs(got);
  ASSERT_EQ(theirs.bytes(), page);
  ASSERT_EQ(::pwrite(file.get(), "x", 1, 0), 1);
  EXPECT_EQ(theirs.text()[0], 'x');

  EXPECT_EQ(openxpc_shmem_create_from_fd(file.get(), page + 1), nullptr);
  EXPECT_EQ(openxpc_shmem_create_from_fd(file.get(), 0), nullptr);
  EXPECT_EQ(openxpc_shmem_create_from_fd(-1, 1), nullptr);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(openxpc_shmem_create_from_fd(ends[0], 1), nullptr);
  EXPECT_EQ(errno, EINVAL);
  ::close(ends[0]), ::close(ends[1]);
}

TEST_F(SemanticsSharedMemory, R205_EachMapIsAnotherMappingOfWholePages) {
  memory mine(2 * page);
  owned box(xpc_shmem_create(mine.at(), page + 1));
  memory one(box), two(box);
  EXPECT_EQ(one.bytes(), 2 * page);
  EXPECT_EQ(two.bytes(), 2 * page);
  EXPECT_NE(one.at(), two.at());
  one.unmap();
  std::strcpy(mine.text(), "still");
  EXPECT_STREQ(two.text(), "still");
  void* untouched = &mine;
  EXPECT_EQ(xpc_shmem_map(owned(xpc_int64_create(1)), &untouched), 0u);
  // By a pointer: UBSan would speak first.
  size_t (*volatile map)(xpc_object_t, void**) = xpc_shmem_map;
  EXPECT_EQ(map(no_object(), &untouched), 0u);
  EXPECT_EQ(untouched, &mine);
}

bool is_writable(const memory& which) {
  // write() into it fails where a store would be a fault.
  base::fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  return ::read(zero.get(), which.at(), 1) == 1;
}

TEST_F(SemanticsSharedMemory, R206_AMappingIsWritableIfTheCreatorsCouldBe) {
  crossing send;
  memory plain(page, PROT_READ);  // could be made writable
  memory of_plain(send(owned(xpc_shmem_create(plain.at(), page))));
  EXPECT_EQ(of_plain.bytes(), page);
  EXPECT_TRUE(is_writable(of_plain));

  base::fd file = memory_file(page);
  base::fd reading(
      ::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
  memory constant(page, PROT_READ, MAP_SHARED, reading.get());
  memory of_constant(send(owned(xpc_shmem_create(constant.at(), page))));
  ASSERT_EQ(of_constant.bytes(), page);
  EXPECT_FALSE(is_writable(of_constant));

  memory mine(page);
  owned box(xpc_shmem_create_readonly(mine.at(), page));
  memory theirs(send(box));
  ASSERT_EQ(theirs.bytes(), page);
  EXPECT_FALSE(is_writable(theirs));
  std::strcpy(mine.text(), "news");
  EXPECT_STREQ(theirs.text(), "news");
}

TEST_F(SemanticsSharedMemory, T44_NothingFromAPeerIsMappedThatCouldBeTakenAway) {
  crossing send;
  void* untouched = &send;
  // The sender's own object maps; what arrives does not.
  base::fd sealed_shut = memory_file(page, 0), disk = disk_file(page);
  for (int fd : {sealed_shut.get(), disk.get()}) {
    owned box(openxpc_shmem_create_from_fd(fd, page));
    EXPECT_EQ(memory(box).bytes(), page);
    owned got = send(box);
    EXPECT_EQ(openxpc_shmem_get_length(got), page);
    EXPECT_EQ(xpc_shmem_map(got, &untouched), 0u);
    base::fd for_the_trusting(openxpc_shmem_dup_fd(got));
    EXPECT_TRUE(for_the_trusting);
  }
  // And what does arrive cannot shrink any more, whoever holds it.
  base::fd file = memory_file(page);
  owned got = send(owned(openxpc_shmem_create_from_fd(file.get(), page)));
  memory theirs(got);
  ASSERT_EQ(theirs.bytes(), page);
  EXPECT_EQ(::ftruncate(file.get(), 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(untouched, &send);
}

TEST_F(SemanticsSharedMemory, R313_TheObjectOutlivesTheCreatorsMapping) {
  memory mine(page);
  std::strcpy(mine.text(), "kept");
  owned box(xpc_shmem_create(mine.at(), page));
  mine.unmap();
  memory again(box);
  ASSERT_EQ(again.bytes(), page);
  EXPECT_STREQ(again.text(), "kept");
}

TEST(SemanticsSharedMemoryDeathTest, R313_MallocedMemoryIsMisuse) {
  EXPECT_DEATH(
      {
        void* there = std::malloc(10 * page);
        owned box(xpc_shmem_create(there, page));
      },
      "XPC API Misuse: xpc_shmem_create: Attempt to pass a malloc\\(3\\)ed region to "
      "xpc_shmem_create\\(\\)");
  memory alone(page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  EXPECT_DEATH(owned(xpc_shmem_create(alone.at(), page)),
               "XPC API Misuse: xpc_shmem_create: Attempt to pass a malloc");
  memory shared(page);
  EXPECT_DEATH(owned(xpc_shmem_create(shared.at(), page * 1000000)), "are not one mapping");
}

TEST_F(SemanticsSharedMemory, R013_EqualsItselfOnly) {
  memory mine(page);
  owned one(xpc_shmem_create(mine.at(), page)), other(xpc_shmem_create(mine.at(), page));
  EXPECT_TRUE(xpc_equal(one, one));
  EXPECT_FALSE(xpc_equal(one, other));
  EXPECT_EQ(xpc_get_type(one), XPC_TYPE_SHMEM);
  EXPECT_NE(semantics::described(one).find("length = " + std::to_string(page) + " bytes"),
            std::string::npos);
}

XPC_TEST_ROLE(maps_and_answers) {
  // One end of a socket pair would do, but the message is XPC's: the descriptor is the memory.
  owned box(openxpc_shmem_create_from_fd(call.borrowed_fd(0), page));
  memory there(box);
  xpc_testing::say(there.text());
  std::strcpy(there.text(), "child was here");
  xpc_testing::say("done");
  return 0;
}

TEST_F(SemanticsSharedMemory, AnotherProcessMapsTheSameMemory) {
  memory mine(page);
  std::strcpy(mine.text(), "hello");
  owned box(xpc_shmem_create(mine.at(), page));
  base::fd file(openxpc_shmem_dup_fd(box));
  auto child = xpc_testing::child::role("maps_and_answers", {.borrowed_fds = {file.get()}});
  child.expect_line("hello");
  child.expect_line("done");
  EXPECT_STREQ(mine.text(), "child was here");
  child.wait();
}

TEST(SemanticsDescriptors, R207_BoxingAndUnboxingDuplicate) {
  crossing send;
  base::fd file = memory_file(0);
  owned box(xpc_fd_create(file.get()));
  file.reset();  // the sender may close its own at once
  owned got = send(box);
  base::fd one(xpc_fd_dup(got)), two(xpc_fd_dup(got));
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  EXPECT_NE(one.get(), two.get());
}

TEST(SemanticsDescriptors, R208_BothEndsShareOffsetAndFlags) {
  crossing send;
  base::fd file = memory_file(10);
  owned got = send(owned(xpc_fd_create(file.get())));
  base::fd theirs(xpc_fd_dup(got));
  ASSERT_EQ(::lseek(theirs.get(), 7, SEEK_SET), 7);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 7);
  ASSERT_EQ(::fcntl(theirs.get(), F_SETFL, O_APPEND), 0);
  EXPECT_TRUE(::fcntl(file.get(), F_GETFL) & O_APPEND);
}

TEST(SemanticsDescriptors, R209_ADescriptorThatIsNotOpenMakesNoBox) {
  EXPECT_EQ(xpc_fd_create(-1), nullptr);
  base::fd file = memory_file(0);
  const int number = file.get();
  file.reset();
  EXPECT_EQ(xpc_fd_create(number), nullptr);
}

TEST(SemanticsDescriptors, R210_ADroppedMessageClosesItsDescriptors) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  base::fd reading(ends[0]), writing(ends[1]);
  talk::events events;
  talk::service nobody_reads([](xpc_connection_t, xpc_object_t) {});
  xpc_connection_t client = xpc_connection_create_from_endpoint(nobody_reads.endpoint());
  talk::set_handler(client, talk::into(events));
  xpc_connection_activate(client);
  xpc_connection_suspend(client);  // it stays here
  {
    owned message(xpc_dictionary_create_empty());
    xpc_dictionary_set_fd(message, "fd", writing.get());
    writing.reset();
    xpc_connection_send_message(client, message);
  }
  xpc_connection_cancel(client);
  xpc_connection_resume(client);
  EXPECT_EQ(events.take().get(), XPC_ERROR_CONNECTION_INVALID);
  char none;
  EXPECT_EQ(::read(reading.get(), &none, 1), 0);  // waits until nobody can write any more
  xpc_release(client);
}

TEST(SemanticsMachRights, R211_NoneIsStoredAndNoneIsRead) {
  owned message(xpc_dictionary_create_empty());
  xpc_dictionary_set_int64(message, "port", 1);
  xpc_dictionary_set_mach_send(message, "port", 7);
  EXPECT_EQ(xpc_dictionary_get_value(message, "port"), nullptr);
  EXPECT_EQ(xpc_dictionary_copy_mach_send(message, "port"), 0u);
  EXPECT_EQ(xpc_dictionary_copy_mach_send(owned(xpc_int64_create(1)), "port"), 0u);
}

}  // namespace
