#include "object/object.hpp"

#include "object/describe.hpp"
#include "object/error.hpp"
#include "object/messages_test.hpp"

#include <thread>

namespace openxpc::object {
namespace {

using testing::text;

/// Counts its ends.
class probe final : public object {
 public:
  explicit probe(int& ends) : object(OPENXPC_TYPE_CONNECTION), ends_(ends) {}

 private:
  void destroy() noexcept override {
    ++ends_;
    delete this;
  }
  int& ends_;
};

TEST(Object, IsDestroyedByTheLastReleaseOnly) {
  int ends = 0;
  auto* it = new probe(ends);
  it->retain();
  EXPECT_FALSE(it->unique());
  it->release();
  EXPECT_EQ(ends, 0);
  EXPECT_TRUE(it->unique());
  it->release();
  EXPECT_EQ(ends, 1);
}

TEST(Object, CountsReferencesFromManyThreads) {
  int ends = 0;
  auto* it = new probe(ends);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([it] {
      for (int n = 0; n < 10000; ++n) it->retain(), it->release();
    });
  for (auto& each : threads) each.join();
  EXPECT_TRUE(it->unique());
  it->release();
  EXPECT_EQ(ends, 1);
}

TEST(ObjectDeathTest, OneReleaseTooManyIsMisuse) {
  EXPECT_DEATH(
      {
        auto* it = make_int64(1).release();
        it->release();
        it->release();
      },
      "XPC API Misuse: xpc_release|heap-use-after-free");
}

TEST(ObjectDeathTest, RetainingWhatIsGoneIsMisuse) {
  EXPECT_DEATH(
      {
        auto* it = make_int64(1).release();
        it->release();
        it->retain();
      },
      "XPC API Misuse: xpc_retain|heap-use-after-free");
}

TEST(Object, SingletonsNeverEnd) {
  for (object* each :
       {the_null(), the_bool(true), the_bool(false), handle_of(_xpc_error_connection_invalid)}) {
    EXPECT_TRUE(each->immortal());
    for (int i = 0; i < 5; ++i) each->release();
    each->retain();
    EXPECT_TRUE(each->alive());
  }
  EXPECT_EQ(the_bool(true), &_xpc_bool_true);
}

TEST(Object, EveryKindHasATypeWithItsNumber) {
  for (int i = OPENXPC_TYPE_NULL; i <= OPENXPC_TYPE_FILE_TRANSFER; ++i) {
    auto* type = type_of(static_cast<kind>(i));
    ASSERT_NE(type, nullptr) << i;
    EXPECT_EQ(type->kind, static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(type_of(OPENXPC_TYPE_NONE), nullptr);
  EXPECT_EQ(type_of(static_cast<kind>(1000)), nullptr);
  EXPECT_STREQ(name_of(OPENXPC_TYPE_NONE), "none");
}

TEST(Object, CastsToItsOwnKindOnly) {
  auto it = text("x");
  EXPECT_EQ(as<string>(static_cast<xpc_object_t>(it.get())), it.get());
  EXPECT_EQ(as<data>(static_cast<xpc_object_t>(it.get())), nullptr);
  EXPECT_EQ(as<string>(xpc_object_t{}), nullptr);
}

TEST(Data, CanBeFilledInPlaceAndFinishedOnce) {
  auto it = data::blank(8);
  std::memcpy(it->fill(), "abcd", 4);
  EXPECT_FALSE(it->finish(9));
  EXPECT_TRUE(it->finish(4));
  EXPECT_EQ(base::as_text(it->bytes()), "abcd");
  EXPECT_EQ(it->fill(), nullptr);
  EXPECT_FALSE(it->finish(2));
}

TEST(Data, TellsItsOwnerWhenItIsNoLongerRead) {
  int calls = 0;
  static constexpr std::byte bytes[4] = {};
  auto it = data::borrow(bytes, &calls, [](void* count) { ++*static_cast<int*>(count); });
  EXPECT_EQ(it->bytes().data(), bytes);
  auto again = it;
  it = nullptr;
  EXPECT_EQ(calls, 0);
  again = nullptr;
  EXPECT_EQ(calls, 1);
}

TEST(String, KnowsWhetherItIsUtf8) {
  EXPECT_TRUE(string::copy_of("gr\xc3\xbc\xc3\x9f")->is_utf8());
  EXPECT_FALSE(string::copy_of("gr\xfc\xdf")->is_utf8());
  EXPECT_STREQ(string::copy_of("")->c_str(), "");
}

TEST(Endpoint, EqualsAnotherOfTheSameFileOnly) {
  auto null_file = base::make_ref<endpoint>(testing::a_file());
  auto same = base::make_ref<endpoint>(testing::a_file());
  auto other = base::make_ref<endpoint>(
      base::make_ref<shared_fd>(base::fd(::open("/dev/zero", O_PATH | O_CLOEXEC))));
  EXPECT_TRUE(equal(*null_file, *same));
  EXPECT_EQ(hash(*null_file), hash(*same));
  EXPECT_FALSE(equal(*null_file, *other));
}

}  // namespace
}  // namespace openxpc::object
