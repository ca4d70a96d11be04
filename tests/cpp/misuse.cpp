// Each misuse that must not compile, beside what should be written. Without MISUSE everything here
// must compile; with MISUSE=1 each line marked `misuse` must be an error, with MISUSE=2 each marked
// `discard` (warnings that are errors, which compilers keep back beside real ones). The script
// ./misuse drives it.

#include <xpc/xpc.hpp>

#include <filesystem>
#include <string>
#include <vector>

#ifndef MISUSE
#define MISUSE 0
#endif

using namespace std::chrono_literals;
using d = xpc::dictionary;

struct plain {};
enum class colour { red };

d make();
xpc::result<d> maybe();
xpc::array list();
xpc::task<int> work();
xpc::request take();
xpc::session session();
xpc::listener listener();
int number = 0;

template <class T>
void use(T&&) {}

// A call, a task and a result that nobody looks at.
xpc::task<> discarded(xpc::peer p) {
#if MISUSE == 2
  p.call({{"a", 1}});  // discard
  work();              // discard
  p.send({{"a", 1}});  // discard
  p.flush();           // discard
#else
  (co_await p.call({{"a", 1}})).value();
  use(co_await work());
  p.send({{"a", 1}}).value();
  p.flush().detach();
#endif
}

// Views out of temporaries.
void views(const d& kept, const xpc::request& q, const xpc::data& bytes) {
#if MISUSE == 1
  use(make().get<std::string_view>("a"));                 // misuse
  use(make().get<std::span<const std::byte>>("a"));       // misuse
  use(make().get<std::optional<std::string_view>>("a"));  // misuse
  use(list().get<std::string_view>(0));                   // misuse
  use(list().get_all<std::string_view>());                // misuse
  use(xpc::object("x").as<std::string_view>());           // misuse
  use(xpc::data().bytes());                               // misuse
  use(take().get<std::string_view>("a"));                 // misuse
  use(maybe()->get<int>("a"));                            // misuse
#endif
  use(kept.get<std::string_view>("a"));
  use(make().get<std::string>("a"));
  use(list().get<std::string>(0));
  use(bytes.bytes());
  use(q.get<std::string_view>("a"));
  if (auto held = maybe()) use(held->get<std::string_view>("a"));
  use(maybe().value().get<int>("a"));
}

// What has two meanings, or none.
void literals(const d& kept) {
#if MISUSE == 1
  use(d{{"a", {}}});                            // misuse
  use(d{{"a", {1, 2}}});                        // misuse
  use(d{{"a", 'c'}});                           // misuse
  use(d{{"a", &number}});                       // misuse
  use(d{{"a", colour::red}});                   // misuse
  use(d{{"a", 5s}});                            // misuse
  use(d{{"a", 1.0L}});                          // misuse
  use(d{{"a", std::filesystem::path("/")}});    // misuse
  use(d{{"a", std::vector<std::uint8_t>{1}}});  // misuse
  use(d{{"a", std::byte{1}}});                  // misuse
  use(d{{"a", plain()}});                       // misuse
  use(d{{"a", L"wide"}});                       // misuse
  use(d{{1, "a"}});                             // misuse
  use(d{"a", "b"});                             // misuse
  use(xpc::array{1, 2});                        // misuse
  use(kept.get<plain>("a"));                    // misuse
  use(kept.get<int, int>("a"));                 // misuse
  use(kept.get<int>(1));                        // misuse
#endif
  use(d{{"a", xpc::array::of(1, 2)}, {"b", "c"}, {"c", std::as_bytes(std::span("x"))}});
  use(kept.get<int, int>("a", "b"));
}

// Resources are moved, rights are used up.
xpc::task<> resources(xpc::peer p, xpc::request q, xpc::subscription s, xpc::data_builder builder) {
  auto call = p.call({});
  auto cold = work();
  auto owner = session();
  auto door = listener();
  xpc::fd file;
#if MISUSE == 1
  auto same_request = q;      // misuse
  q.reply({});                // misuse
  use(s.accept());            // misuse
  use(builder.finish(1));     // misuse
  auto same_call = call;      // misuse
  use(co_await cold);         // misuse
  auto same_file = file;      // misuse
  auto same_session = owner;  // misuse
  auto same_listener = door;  // misuse
#endif
  std::move(q).reply({});
  use(std::move(s).accept());
  use(std::move(builder).finish(1));
  auto moved = std::move(call);
  use(co_await std::move(cold));
  auto moved_session = std::move(owner);
  auto moved_listener = std::move(door);
  auto moved_file = std::move(file);
}

// Handlers and options: what a handler takes and returns, and the one order of fields.
void options() {
#if MISUSE == 1
  use(xpc::listener::anonymous({.on_request = [](const d&) { return 5; }}));      // misuse
  use(xpc::listener::anonymous({.on_request = [](int) { return d(); }}));         // misuse
  use(xpc::listener::anonymous({.on_subscribe = [](const d&) { return d(); }}));  // misuse
  use(xpc::session::open("x", {.executor = {}, .call_timeout = 5s}));             // misuse
  use(xpc::session::open("x", {.call_timeout = 5}));                              // misuse
#endif
  use(xpc::listener::anonymous({.on_request = [](const d& m) { return m; }}));
  use(xpc::session::open("x", {.call_timeout = 5s, .executor = {}}));
}

// A generator must not wait.
xpc::generator<d> rows([[maybe_unused]] xpc::peer p) {
#if MISUSE == 1
  use(co_await p.call({}));  // misuse
#endif
  co_yield {{"n", 1}};
}
