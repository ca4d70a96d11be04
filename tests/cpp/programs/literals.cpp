// What nested braces mean, by every compiler, inside co_await and co_yield too: g++ 12 refuses
// every std::initializer_list there, and other compilers resolve overloads in their own ways. Exit
// status 0 when each literal is what it reads as.

#include <xpc/xpc.hpp>

#include <cstdio>

namespace {

int failures = 0;

void expect(const char* what, const xpc::dictionary& made, const xpc::dictionary& meant) {
  if (made == meant) return;
  ++failures;
  std::fprintf(stderr, "%s became %s\n", what, made.describe().c_str());
}

xpc::dictionary made_of(std::initializer_list<std::pair<const char*, xpc::object>> entries) {
  xpc::dictionary made;
  for (auto& [key, content] : entries) made.set(key, content);
  return made;
}

xpc::dictionary same(xpc::dictionary d) { return d; }
xpc::task<xpc::dictionary> later(xpc::dictionary d) {
  (void)co_await xpc::this_task::sleep(std::chrono::milliseconds(1));
  co_return d;
}
xpc::result<xpc::dictionary> returned(int n) {
  if (n == 0) return {};
  return {{"n", n}, {"in", {{"a", "b"}}}};
}
xpc::generator<xpc::dictionary> yielded() {
  co_yield {{"n", 1}};
  co_yield {{"in", {{"a", "b"}, {"c", "d"}}}, {"text", std::string("temporary")}};
  co_yield {};
}
xpc::task<xpc::dictionary> co_returned(bool empty) {
  if (empty) co_return {};
  co_return {{"n", 1}, {"in", {{"a", std::string("temporary")}}}};
}

xpc::task<> awaited(xpc::peer service) {
  xpc::dictionary got;
  xpc::object ab = made_of({{"a", "b"}});
  xpc::object abcd = made_of({{"a", "b"}, {"c", "d"}});
  got = (co_await service.call({{"op", "x"}})).value();
  expect("one", got, made_of({{"op", "x"}}));
  got = (co_await service.call({{"a", "b"}, {"c", "d"}})).value();
  expect("two texts", got, made_of({{"a", "b"}, {"c", "d"}}));
  got = (co_await service.call({{"in", {{"a", "b"}}}})).value();
  expect("nested one", got, made_of({{"in", ab}}));
  got = (co_await service.call({{"in", {{"a", "b"}, {"c", "d"}}}})).value();
  expect("nested two", got, made_of({{"in", abcd}}));
  got = (co_await later({{"t", std::string("temporary") + "s"}, {"in", {{"a", std::string("b")}}}}))
            .value();
  expect("temporaries", got, made_of({{"t", "temporarys"}, {"in", ab}}));
  std::string key = "key";
  std::vector<int> list{1, 2};
  got = (co_await later({{key, list}, {"n", list.size()}})).value();
  expect("variables", got, made_of({{"key", xpc::array::of(1, 2)}, {"n", std::uint64_t{2}}}));
  got = (co_await later({{"list", xpc::array::of(1, "x", xpc::dictionary{{"a", "b"}})}})).value();
  expect("array", got, made_of({{"list", xpc::array::of(1, "x", ab)}}));
  got = (co_await service.call({{"a", "b"}}, {.timeout = std::chrono::seconds(20)})).value();
  expect("options too", got, made_of({{"a", "b"}}));
  got = (co_await service.call({})).value();
  expect("nothing", got, xpc::dictionary());
  auto rows = service.subscribe({{"op", "rows"}}, {.credit_bytes = 1 << 20});
  got = (co_await rows.next()).value().value;
  expect("yielded one", got, made_of({{"n", 1}}));
  got = (co_await rows.next()).value().value;
  expect("yielded nested", got, made_of({{"in", abcd}, {"text", "temporary"}}));
  got = (co_await rows.next()).value().value;
  expect("yielded nothing", got, xpc::dictionary());
  got = (co_await co_returned(false)).value();
  expect("returned", got, made_of({{"n", 1}, {"in", made_of({{"a", "temporary"}})}}));
  got = (co_await co_returned(true)).value();
  expect("returned nothing", got, xpc::dictionary());
  got = (co_await later({{"a", 1},
                         {"b", 2},
                         {"c", 3},
                         {"d", 4},
                         {"e", 5},
                         {"f", 6},
                         {"g", 7},
                         {"h", 8},
                         {"i", 9},
                         {"j", 10},
                         {"k", 11},
                         {"l", 12},
                         {"m", 13},
                         {"n", 14},
                         {"o", 15},
                         {"p", 16}}))
            .value();
  expect("sixteen", got,
         made_of({{"a", 1},
                  {"b", 2},
                  {"c", 3},
                  {"d", 4},
                  {"e", 5},
                  {"f", 6},
                  {"g", 7},
                  {"h", 8},
                  {"i", 9},
                  {"j", 10},
                  {"k", 11},
                  {"l", 12},
                  {"m", 13},
                  {"n", 14},
                  {"o", 15},
                  {"p", 16}}));
}

}  // namespace

int main() {
  xpc::object ab = made_of({{"a", "b"}});
  xpc::object abcd = made_of({{"a", "b"}, {"c", "d"}});
  expect("plain one", same({{"a", "b"}}), made_of({{"a", "b"}}));
  expect("plain two", same({{"a", "b"}, {"c", "d"}}), made_of({{"a", "b"}, {"c", "d"}}));
  expect("plain nested", same({{"in", {{"a", "b"}}}}), made_of({{"in", ab}}));
  expect("plain nested two", same({{"in", {{"a", "b"}, {"c", "d"}}}}), made_of({{"in", abcd}}));
  expect("plain deep", same({{"x", {{"in", {{"a", "b"}}}}}}),
         made_of({{"x", made_of({{"in", ab}})}}));
  expect("mixed",
         same({{"in", {{"a", "b"}}}, {"n", 1}, {"none", std::optional<int>()}, {"null", nullptr}}),
         made_of({{"in", ab}, {"n", 1}, {"null", xpc::object()}}));
  expect("a dictionary", same({{"in", xpc::dictionary{{"a", "b"}}}}), made_of({{"in", ab}}));
  expect("braces around a dictionary", same(xpc::dictionary{same({{"a", "b"}})}),
         made_of({{"a", "b"}}));
  expect("set", xpc::dictionary().set("in", {{"a", "b"}}), made_of({{"in", ab}}));
  expect("result", returned(1).value(), made_of({{"n", 1}, {"in", ab}}));
  expect("empty result", returned(0).value(), xpc::dictionary());
  expect("empty", same({}), xpc::dictionary());
  auto service =
      xpc::listener::anonymous({.on_request = [](const xpc::dictionary& q) { return q; },
                                .on_subscribe = [](const xpc::dictionary&) { return yielded(); }});
  auto client = xpc::session::open(service.value().make_endpoint());
  xpc::run_loop loop;
  if (auto ran = loop.run(awaited(client.value())); !ran) return xpc::report(ran.error());
  return failures;
}
