#include "handover/handover.hpp"

#include "support/resources.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace openxpc::handover {
namespace {

base::fd some_descriptor() { return base::fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(Handover, WhatIsWrittenIsReadAndNobodyChangesItInBetween) {
  outgoing kept;
  object_ref state = new_dictionary();
  set(state.get(), "word", "tea");
  outcome<base::fd> file = write(state.get(), kept);
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_LT(::pwrite(file->get(), "x", 1, 0), 0);
  EXPECT_EQ(errno, EPERM);
  // Once by whoever checks it, once by whoever goes on from it.
  for (int count = 0; count < 2; ++count) {
    outcome<object_ref> read_back = read(file->get());
    ASSERT_TRUE(read_back) << read_back.error().text;
    EXPECT_EQ(get_text(read_back->get(), "word"), "tea");
  }
}

TEST(Handover, AnotherFormatAndWhatIsNoneAreRefusedWithWhatWasFound) {
  object_ref state = new_dictionary();
  set(state.get(), "format", format + 1);
  void* bytes = nullptr;
  std::size_t size = 0;
  ASSERT_TRUE(::openxpc_object_encode(state.get(), OPENXPC_ENCODING_FILE, &bytes, &size, nullptr));
  const base::fd later(::memfd_create("later", MFD_CLOEXEC));
  ASSERT_EQ(::write(later.get(), bytes, size), static_cast<ssize_t>(size));
  std::free(bytes);
  outcome<object_ref> other = read(later.get());
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text.find("has the format 2, this program reads 1"), std::string::npos)
      << other.error().text;
  const base::fd plain(::memfd_create("plain", MFD_CLOEXEC));
  ASSERT_EQ(::write(plain.get(), "garbage", 7), 7);
  outcome<object_ref> wrong = read(plain.get());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().what, trouble::kind::bad_input);
  EXPECT_EQ(wrong.error().text.find("state of the xpcd before this one: "), 0u);
  const base::fd null = some_descriptor();
  wrong = read(null.get());
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().text.find("is not a file of it"), std::string::npos);
}

TEST(Handover, ADescriptorIsTakenOnceAndWhatNobodyTakesIsClosed) {
  base::fd first = some_descriptor(), second = some_descriptor(), foreign = some_descriptor();
  const int first_number = first.get(), second_number = second.get();
  outgoing kept;
  object_ref state = new_dictionary();
  kept.keep(state.get(), "first", first_number);
  kept.keep(state.get(), "second", second_number);
  kept.keep(state.get(), "none", -1);
  set(state.get(), "foreign", static_cast<std::int64_t>(foreign.get()));
  EXPECT_EQ(get_object(state.get(), "none"), nullptr);
  ASSERT_TRUE(write(state.get(), kept));
  // As after an exec: open, not close-on-exec, and nobody's.
  for (const int one : {first.release(), second.release()}) ::fcntl(one, F_SETFD, 0);
  {
    incoming came(state.get());
    EXPECT_EQ(::fcntl(first_number, F_GETFD), FD_CLOEXEC);
    const base::fd taken = came.take(state.get(), "first");
    EXPECT_EQ(taken.get(), first_number);
    EXPECT_FALSE(came.take(state.get(), "first"));
    EXPECT_FALSE(came.take(state.get(), "foreign")) << "it is not one of those that came";
    EXPECT_FALSE(came.take(state.get(), "missing"));
  }
  EXPECT_LT(::fcntl(second_number, F_GETFD), 0);
}

}  // namespace
}  // namespace openxpc::handover
