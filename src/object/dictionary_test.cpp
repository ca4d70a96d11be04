#include "object/dictionary.hpp"

#include "object/messages_test.hpp"

#include <map>
#include <random>

namespace openxpc::object {
namespace {

using testing::round_trip;
using testing::text;

ref<dictionary> numbered(int count) {
  auto made = dictionary::create();
  for (int i = 0; i < count; ++i) made->set("key " + std::to_string(i), make_int64(i));
  return made;
}

std::int64_t number(const dictionary& in, std::string_view key) {
  item found = in.find(key);
  return found.is(OPENXPC_TYPE_INT64) ? static_cast<std::int64_t>(found.to_bits()) : -1;
}

TEST(Dictionary, FindsEachKeyWithAndWithoutIndex) {
  for (int count : {0, 1, 16, 17, 1000}) {
    auto native = numbered(count);
    auto received = round_trip(*native);
    EXPECT_TRUE(received->is_view());
    for (const auto& in : {native, received}) {
      ASSERT_EQ(in->count(), static_cast<std::size_t>(count));
      for (int i = 0; i < count; ++i) EXPECT_EQ(number(*in, "key " + std::to_string(i)), i);
      EXPECT_FALSE(in->find("key"));
      EXPECT_FALSE(in->find(""));
      EXPECT_FALSE(in->find("key " + std::to_string(count)));
    }
  }
}

TEST(Dictionary, BehavesLikeAMapUnderRandomChanges) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::map<std::string, std::int64_t> model;
    auto it = dictionary::create();
    for (int step = 0; step < 2000; ++step) {
      auto key = "a rather long key " + std::to_string(random() % (round < 10 ? 24 : 300));
      if (random() % 3 == 0) {
        EXPECT_EQ(it->remove(key), model.erase(key) == 1);
      } else {
        it->set(key, make_int64(step));
        model[key] = step;
      }
      if (step == 1000) it = round_trip(*it);
    }
    ASSERT_EQ(it->count(), model.size());
    for (const auto& [key, value] : model) EXPECT_EQ(number(*it, key), value);
    std::map<std::string, std::int64_t> walked;
    it->each([&](std::string_view key, const item& value) {
      walked[std::string(key)] = static_cast<std::int64_t>(value.to_bits());
      return true;
    });
    EXPECT_EQ(walked, model);
  }
}

TEST(Dictionary, ReplacesTheValueOfAKeyAndLetsTheOldOneGo) {
  auto it = dictionary::create();
  auto old = text("old");
  it->set("key", old);
  it->set("key", text("new"));
  EXPECT_TRUE(old->unique());
  EXPECT_EQ(it->count(), 1u);
  EXPECT_EQ(it->find("key").to_string(), "new");
}

TEST(Dictionary, KeepsKeysOfAnyLength) {
  auto it = dictionary::create();
  for (std::size_t length : {0, 1, 18, 19, 20, 21, 1000})
    it->set(std::string(length, 'k'), make_int64(1));
  it = round_trip(*it);
  it->set("more", make_int64(2));  // native again: keys lent by the message
  for (std::size_t length : {0, 1, 18, 19, 20, 21, 1000}) {
    EXPECT_EQ(number(*it, std::string(length, 'k')), 1) << length;
    EXPECT_EQ(number(*it, std::string(length, 'k') + "x"), -1) << length;
  }
}

TEST(Dictionary, TakeMovesTheValueOut) {
  auto it = round_trip(*numbered(3));
  object* kept = it->get("key 1");
  auto taken = it->take("key 1");
  EXPECT_EQ(taken.get(), kept);
  EXPECT_TRUE(taken->unique());
  EXPECT_FALSE(it->find("key 1"));
  EXPECT_FALSE(it->take("key 1"));
  EXPECT_EQ(it->count(), 2u);
}

TEST(Dictionary, ViewMakesTheSameObjectEachTimeAndKeepsItWhenItTurnsNative) {
  auto inner = numbered(1);
  auto it = dictionary::create();
  it->set("inner", inner);
  it->set("number", make_int64(5));
  it = round_trip(*it);
  object *first = it->get("inner"), *number_object = it->get("number");
  EXPECT_EQ(it->get("inner"), first);
  it->set("more", make_int64(1));
  EXPECT_FALSE(it->is_view());
  EXPECT_EQ(it->get("inner"), first);
  EXPECT_EQ(it->get("number"), number_object);
  it = round_trip(*it);
}

TEST(Dictionary, ChildrenOfADeadMessageLiveOn) {
  auto inner = numbered(20);
  inner->set("text", text(std::string(1000, 'x')));
  auto it = dictionary::create();
  it->set("inner", inner);
  it = round_trip(*it);
  auto kept = ref<object>::share(it->get("inner"));
  auto long_text = ref<object>::share(static_cast<dictionary*>(kept.get())->get("text"));
  it = nullptr;
  EXPECT_EQ(number(*static_cast<dictionary*>(kept.get()), "key 19"), 19);
  kept = nullptr;
  EXPECT_EQ(static_cast<string*>(long_text.get())->text(), std::string(1000, 'x'));
}

TEST(Dictionary, ShallowCopyHasEntriesOfItsOwnAndSharedChildren) {
  auto inner = numbered(1);
  auto it = dictionary::create();
  it->set("inner", inner);
  auto copy = it->shallow_copy();
  EXPECT_EQ(copy->get("inner"), inner.get());
  copy->set("more", make_int64(1));
  EXPECT_EQ(it->count(), 1u);
}

TEST(Dictionary, ShallowCopyOfAChangedViewSeesTheChange) {
  auto it = dictionary::create();
  it->set("inner", numbered(1));
  it->set("other", make_int64(3));
  it = round_trip(*it);
  auto* inner = static_cast<dictionary*>(it->get("inner"));
  inner->set("key 0", make_int64(99));
  auto copy = it->shallow_copy();
  EXPECT_EQ(copy->get("inner"), inner);
  EXPECT_EQ(number(*copy, "other"), 3);
}

TEST(Dictionary, LetsItsContextGoWithItselfAndNeverCopiesIt) {
  struct marker : base::counted {
    explicit marker(int& ends) : ends_(ends) {}
    ~marker() override { ++ends_; }
    int& ends_;
  };
  int ends = 0;
  auto it = round_trip(*numbered(2));
  it->set_context(base::make_ref<marker>(ends));
  EXPECT_EQ(static_cast<dictionary*>(copy(*it).get())->context(), nullptr);
  EXPECT_EQ(it->shallow_copy()->context(), nullptr);
  EXPECT_EQ(ends, 0);
  it = nullptr;
  EXPECT_EQ(ends, 1);
}

TEST(Array, FindsEachElementAndNothingBeyond) {
  for (std::size_t count : {0u, 1u, 8u, 9u, 500u}) {
    auto native = array::create();
    for (std::size_t i = 0; i < count; ++i) native->append(make_uint64(i));
    auto holder = dictionary::create();
    holder->set("list", native);
    auto received = round_trip(*holder);
    auto* view = static_cast<array*>(received->get("list"));
    ASSERT_EQ(view->count(), count);
    for (std::size_t i = count; i-- > 0;) EXPECT_EQ(view->find(i).to_bits(), i);
    EXPECT_FALSE(view->find(count));
    EXPECT_FALSE(view->find(static_cast<std::size_t>(-1)));
  }
}

TEST(Array, ChangesAfterItWasReceived) {
  auto native = array::create();
  for (std::uint64_t i = 0; i < 20; ++i) native->append(make_uint64(i));
  auto holder = dictionary::create();
  holder->set("list", native);
  auto received = round_trip(*holder);
  auto* it = static_cast<array*>(received->get("list"));
  object* eleventh = it->get(11);
  it->set(3, make_uint64(33));
  it->remove(0);
  it->append(make_uint64(44));
  auto taken = it->take(1);
  EXPECT_EQ(it->count(), 20u);
  EXPECT_EQ(it->get(10), eleventh);
  EXPECT_EQ(it->find(2).to_bits(), 33u);
  EXPECT_EQ(it->find(19).to_bits(), 44u);
  EXPECT_EQ(static_cast<scalar*>(taken.get())->bits(), 2u);
  EXPECT_EQ(it->find(1).what(), OPENXPC_TYPE_NULL);
  auto again = round_trip(*received);
  EXPECT_TRUE(equal(*again, *received));
}

TEST(Container, DeeplyNestedArraysEndWithoutOverflow) {
  ref<object> inner = array::create();
  for (int i = 0; i < 200'000; ++i) {
    auto outer = array::create();
    outer->append(std::move(inner));
    inner = outer;
  }
  inner = nullptr;
}

}  // namespace
}  // namespace openxpc::object
