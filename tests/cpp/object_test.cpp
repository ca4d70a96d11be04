// Values: what becomes of what, what reads as what, and copies that never change the original.

#include <xpc/object.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <unordered_map>

using namespace std::chrono_literals;

struct point {
  int x, y;
};

template <>
struct xpc::codec<point> {
  static object encode(const point& from) { return dictionary{{"x", from.x}, {"y", from.y}}; }
  static result<point> decode(const object& from) {
    auto whole = from.as<dictionary>();
    if (!whole) return whole.error();
    auto both = whole->get<int, int>("x", "y");
    if (!both) return both.error();
    auto [x, y] = *both;
    return point{x, y};
  }
};

namespace {

template <class T>
xpc::type_id type_of(const T& from) {
  return xpc::object(from).type();
}

template <class T>
xpc::failure error_of(const xpc::dictionary& in, const char* key) {
  auto read = in.get<T>(key);
  EXPECT_FALSE(read);
  return read ? xpc::failure("it was read") : read.error();
}

}  // namespace

TEST(CppValue, BecomesWhatTheTableSays) {
  using id = xpc::type_id;
  EXPECT_EQ(type_of(true), id::boolean);
  EXPECT_EQ(type_of(std::int8_t{-1}), id::int64);
  EXPECT_EQ(type_of(-1L), id::int64);
  EXPECT_EQ(type_of(1u), id::uint64);
  EXPECT_EQ(type_of(std::size_t{1}), id::uint64);
  EXPECT_EQ(type_of(1.5f), id::real);
  EXPECT_EQ(type_of("text"), id::string);
  EXPECT_EQ(type_of(std::string("text")), id::string);
  EXPECT_EQ(type_of(std::string_view("text")), id::string);
  std::array<std::byte, 2> bytes{};
  EXPECT_EQ(type_of(bytes), id::data);
  EXPECT_EQ(type_of(std::span(bytes)), id::data);
  EXPECT_EQ(type_of(std::vector<std::byte>()), id::data);
  EXPECT_EQ(type_of(std::as_bytes(std::span("ab"))), id::data);
  EXPECT_EQ(type_of(xpc::data(bytes)), id::data);
  EXPECT_EQ(type_of(std::chrono::system_clock::now()), id::date);
  EXPECT_EQ(type_of(std::chrono::sys_days(0 * std::chrono::days(1))), id::date);
  EXPECT_EQ(type_of(xpc::uuid()), id::uuid);
  EXPECT_EQ(type_of(xpc::fd(::open("/", O_RDONLY | O_CLOEXEC))), id::fd);
  EXPECT_EQ(type_of(nullptr), id::null);
  EXPECT_EQ(type_of(xpc::dictionary()), id::dictionary);
  EXPECT_EQ(type_of(xpc::array()), id::array);
  EXPECT_EQ(type_of(std::vector<int>{1}), id::array);
  EXPECT_EQ(type_of(std::list<std::string>{"a"}), id::array);
  EXPECT_EQ(type_of(std::vector<bool>{true}), id::array);
  EXPECT_EQ((type_of(std::map<std::string, int>{{"a", 1}})), id::dictionary);
  EXPECT_EQ((type_of(std::unordered_map<std::string, std::vector<double>>())), id::dictionary);
  EXPECT_EQ(type_of(std::optional<int>(1)), id::int64);
  EXPECT_EQ(type_of(std::optional<int>()), id::null);
  EXPECT_EQ(type_of(point{1, 2}), id::dictionary);
  EXPECT_EQ(type_of(std::vector<point>{{1, 2}}), id::array);
  EXPECT_EQ(xpc::object().type(), id::null);
}

TEST(CppValue, RefusesWhatHasTwoMeaningsOrNone) {
  enum class colour { red };
  struct nothing {};
  using xpc::detail::writable;
  static_assert(!writable<char> && !writable<wchar_t> && !writable<char8_t>);
  static_assert(!writable<int*> && !writable<void*> && !writable<const int*>);
  static_assert(!writable<colour> && !writable<std::byte> && !writable<std::chrono::seconds>);
  static_assert(!writable<long double> && !writable<nothing> && !writable<std::optional<nothing>>);
  static_assert(!writable<std::vector<std::uint8_t>> && !writable<std::vector<char>> &&
                !writable<std::vector<std::int8_t>> && !writable<std::vector<nothing>>);
  static_assert(!writable<std::map<int, int>> && !writable<std::map<std::string, nothing>>);
  static_assert(!writable<std::wstring>);
  static_assert(writable<std::vector<std::vector<int>>> &&
                writable<std::map<std::string_view, point>>);
  static_assert(!std::is_default_constructible_v<xpc::value>);
}

TEST(CppDictionary, ReadsWhatTheTableSays) {
  std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  auto now =
      std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  xpc::uuid id(xpc::uuid::bytes_type{1, 2, 3});
  xpc::dictionary d{{"b", true},
                    {"i", -5},
                    {"u", 5u},
                    {"d", 2.5},
                    {"t", "text"},
                    {"data", bytes},
                    {"now", now},
                    {"id", id},
                    {"null", nullptr},
                    {"in", {{"deep", 1}}},
                    {"list", std::vector<int>{1, 2, 3}},
                    {"p", point{3, 4}}};
  EXPECT_TRUE(d.get<bool>("b").value());
  EXPECT_EQ(d.get<int>("i").value(), -5);
  EXPECT_EQ(d.get<std::int8_t>("i").value(), -5);
  EXPECT_EQ(d.get<int>("u").value(), 5);
  EXPECT_EQ(d.get<std::uint8_t>("u").value(), 5);
  EXPECT_EQ(d.get<double>("d").value(), 2.5);
  EXPECT_EQ(d.get<float>("d").value(), 2.5f);
  EXPECT_EQ(d.get<double>("i").value(), -5.0);
  EXPECT_EQ(d.get<std::string>("t").value(), "text");
  EXPECT_EQ(d.get<std::string_view>("t").value(), "text");
  EXPECT_EQ(d.get<std::span<const std::byte>>("data").value()[2], std::byte{3});
  EXPECT_EQ(d.get<xpc::data>("data").value(), xpc::data(bytes));
  EXPECT_EQ(d.get<xpc::date>("now").value(), now);
  EXPECT_EQ(d.get<std::chrono::sys_seconds>("now").value(),
            std::chrono::floor<std::chrono::seconds>(now));
  EXPECT_EQ(d.get<xpc::uuid>("id").value(), id);
  EXPECT_EQ(d.get<xpc::object>("null").value(), xpc::object());
  EXPECT_EQ(d.get<xpc::dictionary>("in").value().get<int>("deep").value(), 1);
  EXPECT_EQ(d.get<xpc::array>("list").value().size(), 3u);
  EXPECT_EQ(d.get<std::vector<int>>("list").value(), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(d.get<std::vector<double>>("list").value().back(), 3.0);
  EXPECT_EQ(d.get<point>("p").value().y, 4);
  EXPECT_EQ(d.get<std::optional<int>>("i").value(), -5);
  EXPECT_EQ(d.get<std::optional<int>>("absent").value(), std::nullopt);
  EXPECT_EQ(d.get<std::optional<int>>("null").value(), std::nullopt);
  auto [text, number, maybe] =
      d.get<std::string, int, std::optional<bool>>("t", "i", "absent").value();
  EXPECT_EQ(text, "text");
  EXPECT_EQ(number, -5);
  EXPECT_FALSE(maybe);
}

TEST(CppDictionary, NamesWhatItExpectedAndFound) {
  xpc::dictionary d{{"t", "six"}, {"n", nullptr}, {"f", 1.5}, {"b", 1}};
  EXPECT_EQ(error_of<double>(d, "t"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<double>(d, "t").message(), "t: expected double, found string");
  EXPECT_EQ(error_of<std::string>(d, "absent"), xpc::errc::missing_key);
  EXPECT_EQ(error_of<std::string>(d, "absent").message(), "absent: expected string, found nothing");
  EXPECT_EQ(error_of<int>(d, "n"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<int>(d, "f"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<bool>(d, "b"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<std::optional<int>>(d, "t"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<xpc::dictionary>(d, "t").message(), "t: expected dictionary, found string");
  EXPECT_EQ((d.get<int, double>("b", "t").error().message()), "t: expected double, found string");
  EXPECT_EQ((d.get<int, double>("x", "t").error().message()), "x: expected int32, found nothing");
}

TEST(CppDictionary, RefusesNumbersThatDoNotFit) {
  xpc::dictionary d{{"big", 300},
                    {"minus", -1},
                    {"huge", std::numeric_limits<std::uint64_t>::max()},
                    {"odd", (std::int64_t{1} << 53) + 1},
                    {"even", std::int64_t{1} << 60}};
  EXPECT_EQ(error_of<std::int8_t>(d, "big"), xpc::errc::out_of_range);
  EXPECT_EQ(error_of<std::int8_t>(d, "big").message(), "big: expected int8, found 300");
  EXPECT_EQ(error_of<unsigned>(d, "minus").message(), "minus: expected uint32, found -1");
  EXPECT_EQ(error_of<std::int64_t>(d, "huge").message(),
            "huge: expected int64, found 18446744073709551615");
  EXPECT_EQ(error_of<double>(d, "huge"), xpc::errc::out_of_range);
  EXPECT_EQ(error_of<double>(d, "odd"), xpc::errc::out_of_range);
  EXPECT_EQ(d.get<double>("even").value(), std::ldexp(1, 60));
  EXPECT_EQ(d.get<std::uint64_t>("huge").value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(d.get<std::uint16_t>("big").value(), 300);
}

TEST(CppDictionary, NamesThePathToWhatIsWrongInside) {
  xpc::dictionary d{{"rows", xpc::array::of(point{1, 2}, xpc::dictionary{{"x", 1}, {"y", "no"}})},
                    {"list", xpc::array::of(1, "two")},
                    {"lists", xpc::array::of(xpc::array::of(1), xpc::array::of(true))},
                    {"p", 5}};
  EXPECT_EQ(error_of<std::vector<int>>(d, "list").message(),
            "list[1]: expected int32, found string");
  EXPECT_EQ(error_of<std::vector<std::vector<int>>>(d, "lists").message(),
            "lists[1][0]: expected int32, found bool");
  EXPECT_EQ(error_of<std::vector<point>>(d, "rows").message(),
            "rows[1].y: expected int32, found string");
  EXPECT_EQ(error_of<std::vector<point>>(d, "rows"), xpc::errc::wrong_type);
  EXPECT_EQ(error_of<point>(d, "p").message(), "p: expected dictionary, found int64");
}

TEST(CppDictionary, IsChangedInPlaceAndReadBack) {
  xpc::dictionary d;
  EXPECT_TRUE(d.empty());
  d.set("a", 1).set("b", "x").set(std::string("c"), {{"d", true}});
  EXPECT_EQ(d.size(), 3u);
  EXPECT_TRUE(d.contains("a"));
  EXPECT_EQ(d.find("b"), xpc::object("x"));
  EXPECT_EQ(d.find("z"), std::nullopt);
  d.set("a", std::optional<int>());
  EXPECT_FALSE(d.contains("a"));
  EXPECT_TRUE(d.erase("b"));
  EXPECT_FALSE(d.erase("b"));
  auto taken = d.take("c");
  ASSERT_TRUE(taken);
  EXPECT_TRUE(d.empty());
  EXPECT_FALSE(d.take("c"));
  EXPECT_EQ(*taken, xpc::object(xpc::dictionary{{"d", true}}));
  EXPECT_EQ(d, xpc::dictionary());
}

TEST(CppDictionary, GoesOverItsEntries) {
  xpc::dictionary d{{"a", 1}, {"b", 2}, {"c", 3}};
  std::map<std::string, int> seen;
  for (auto [key, content] : d) seen[std::string(key)] = content.as<int>().value();
  EXPECT_EQ(seen, (std::map<std::string, int>{{"a", 1}, {"b", 2}, {"c", 3}}));
  // Over the entries as they were, whatever happens meanwhile.
  for (auto [key, content] : d) d.set("x" + std::string(key), content);
  EXPECT_EQ(d.size(), 6u);
  for ([[maybe_unused]] auto entry : xpc::dictionary()) FAIL();
}

TEST(CppDictionary, CopiesNeverChangeTheOriginal) {
  xpc::dictionary original{{"a", 1}, {"in", {{"b", 2}}}};
  xpc::dictionary copy = original;
  copy.set("a", 5);
  EXPECT_EQ(original.get<int>("a").value(), 1);
  // A child that was read out is a copy as well.
  auto child = copy.get<xpc::dictionary>("in").value();
  child.set("b", 7);
  EXPECT_EQ(copy.get<xpc::dictionary>("in").value().get<int>("b").value(), 2);
  EXPECT_EQ(original.get<xpc::dictionary>("in").value().get<int>("b").value(), 2);
  // Storing a dictionary in itself stores what it was.
  original.set("self", original);
  EXPECT_EQ(original.size(), 3u);
  EXPECT_EQ(original.get<xpc::dictionary>("self").value().size(), 2u);
  auto list = xpc::array::of(1);
  list.append(list).set(0, list);
  EXPECT_EQ(list, xpc::array::of(xpc::array::of(1, xpc::array::of(1)), xpc::array::of(1)));
  // What was stored and is changed afterwards stays as it was stored.
  xpc::dictionary part{{"n", 1}};
  xpc::dictionary whole{{"part", part}};
  part.set("n", 2);
  EXPECT_EQ(whole.get<xpc::dictionary>("part").value().get<int>("n").value(), 1);
}

TEST(CppDictionary, ChangesWhatItAloneHoldsWithoutACopy) {
  xpc::dictionary d{{"in", {{"b", 2}}}};
  xpc_object_t before = d.native_handle();
  d.set("a", 1);
  EXPECT_EQ(d.native_handle(), before);
  auto child = d.take("in")->as<xpc::dictionary>().value();
  xpc_object_t inside = child.native_handle();
  child.set("b", 3);
  EXPECT_EQ(child.native_handle(), inside);
  d.set("in", child);
  xpc::dictionary shared = d;
  d.set("a", 2);
  EXPECT_NE(d.native_handle(), before);
  EXPECT_EQ(shared.native_handle(), before);
}

TEST(CppDictionary, AMovedFromOneIsEmpty) {
  xpc::dictionary d{{"a", 1}};
  xpc::dictionary taken = std::move(d);
  EXPECT_TRUE(d.empty());  // NOLINT(bugprone-use-after-move): this is what is promised
  EXPECT_EQ(d.get<int>("a").error(), xpc::errc::missing_key);
  d.set("b", 2);
  EXPECT_EQ(d, (xpc::dictionary{{"b", 2}}));
}

TEST(CppDictionary, TakesMoreThanSixteenEntriesFromASpan) {
  std::vector<xpc::entry> entries;
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) keys.push_back("k" + std::to_string(i));
  for (int i = 0; i < 40; ++i) entries.emplace_back(keys[static_cast<std::size_t>(i)], i);
  auto d = xpc::dictionary::from(entries);
  EXPECT_EQ(d.size(), 40u);
  EXPECT_EQ(d.get<int>("k39").value(), 39);
  EXPECT_TRUE(xpc::dictionary::from({}).empty());
}

TEST(CppDictionary, RefusesAnotherKindOfObject) {
  EXPECT_EQ(xpc::dictionary::from_native(xpc::object(5).native_handle()).error(),
            xpc::errc::wrong_type);
  EXPECT_EQ(xpc::array::from_native(xpc::dictionary().native_handle()).error(),
            xpc::errc::wrong_type);
}

TEST(CppDictionaryDeathTest, TextMustBeUtf8) {
  EXPECT_DEATH((xpc::dictionary{{"t", "\xff"}}), "XPC API Misuse: .*UTF-8");
  EXPECT_DEATH((xpc::dictionary{{"t", std::string("a\0b", 3)}}), "NUL");
}

TEST(CppArray, IsMadeReadAndChanged) {
  auto a = xpc::array::of(1, "two", 3.0, xpc::dictionary{{"four", 4}}, nullptr);
  EXPECT_EQ(a.size(), 5u);
  EXPECT_EQ(a.get<std::string>(1).value(), "two");
  EXPECT_EQ(a.get<int>(1).error().message(), "[1]: expected int32, found string");
  EXPECT_EQ(a.get<int>(9).error(), xpc::errc::missing_key);
  auto copy = a;
  copy.append({{"five", 5}}).set(0, "one");
  EXPECT_EQ(a.size(), 5u);
  EXPECT_EQ(a.get<int>(0).value(), 1);
  EXPECT_EQ(copy.size(), 6u);
  EXPECT_EQ(copy.get<std::string>(0).value(), "one");
  EXPECT_EQ(xpc::array::of(1, 2).get_all<int>().value(), (std::vector<int>{1, 2}));
  EXPECT_EQ(xpc::array::of(1, "x").get_all<int>().error().message(),
            "[1]: expected int32, found string");
  int sum = 0;
  for (auto each : xpc::array::of(1, 2, 3)) sum += each.as<int>().value();
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(xpc::array(), xpc::array::of());
  EXPECT_NE(xpc::array::of(1), xpc::array::of(1u));
}

TEST(CppObject, ComparesHashesAndReads) {
  xpc::object one = xpc::dictionary{{"a", xpc::array::of(1, 2)}};
  xpc::object same = xpc::dictionary{{"a", std::vector<int>{1, 2}}};
  EXPECT_EQ(one, same);
  EXPECT_EQ(std::hash<xpc::object>()(one), std::hash<xpc::object>()(same));
  EXPECT_NE(one, xpc::object(1));
  EXPECT_EQ(xpc::object(7).as<int>().value(), 7);
  EXPECT_EQ(xpc::object("x").as<int>().error().message(), "expected int32, found string");
  EXPECT_NE(one.describe().find("array"), std::string::npos);
}

TEST(CppData, IsFilledInPlace) {
  auto builder = xpc::data_builder::create(1000).value();
  std::byte* at = builder.bytes().data();
  std::fill(builder.bytes().begin(), builder.bytes().end(), std::byte{9});
  xpc::data done = std::move(builder).finish(10);
  EXPECT_EQ(done.size(), 10u);
  EXPECT_EQ(done.bytes().data(), at);
  EXPECT_EQ(done.bytes()[9], std::byte{9});
  xpc::dictionary message{{"data", done}};
  EXPECT_EQ(message.get<std::span<const std::byte>>("data").value().data(), at);
  EXPECT_TRUE(xpc::data().empty());
}

TEST(CppFd, IsDuplicatedOnTheWayInAndOut) {
  xpc::fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  xpc::dictionary d{{"file", file}};
  auto out = d.get<xpc::fd>("file").value();
  EXPECT_NE(out.get(), file.get());
  EXPECT_TRUE(::fcntl(out.get(), F_GETFD) & FD_CLOEXEC);
  struct stat one{}, other{};
  ASSERT_EQ(::fstat(out.get(), &one), 0);
  ASSERT_EQ(::fstat(file.get(), &other), 0);
  EXPECT_EQ(one.st_ino, other.st_ino);
  int number = out.get();
  out = xpc::fd();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_EQ(xpc::fd::copy(number).error(), xpc::errc::invalid_argument);
  int kept = file.release();
  EXPECT_FALSE(file);
  EXPECT_EQ(::close(kept), 0);
}

TEST(CppUuid, PrintsAndOrders) {
  xpc::uuid id(xpc::uuid::bytes_type{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5,
                                     6, 7, 8});
  EXPECT_EQ(id.to_string(), "01234567-89AB-CDEF-0102-030405060708");
  EXPECT_LT(xpc::uuid(), id);
}
