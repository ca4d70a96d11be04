#include "hostile/behaviours.hpp"

#include "base/fd.hpp"
#include "support/role.hpp"

#include <sys/mman.h>

using openxpc::base::fd;

namespace hostile {

const std::string& good_body() {
  static const std::string body = native(dictionary_of({{"n", int64_value(42)}}));
  return body;
}

namespace {

/// The body of a failure: an error as a dictionary.
std::string failure_body(const std::vector<std::pair<std::string, std::string>>& entries) {
  return native(dictionary_of(entries));
}

}  // namespace

std::optional<frame> next_request(line& talk) {
  while (std::optional<frame> next = talk.receive())
    if (next->what == request || next->what == subscribe) return next;
  return std::nullopt;
}

namespace {

/// Answers all further requests as it should.
void serve(line& talk) {
  while (std::optional<frame> next = next_request(talk))
    if (!talk.send(pack({{.what = reply, .id = next->id, .body = good_body()}}))) return;
}

void answer_with(line& talk, const frame& how, std::size_t descriptors = 0) {
  fd file(::memfd_create("a file", MFD_CLOEXEC));
  talk.send(pack({how}), std::vector<int>(descriptors, file.get()));
  serve(talk);
}

/// A descriptor whose close takes an hour, in a reply that is no object.
void answer_with_lingering_socket(line& talk, const frame& first) {
  xpc_testing::say("asked");
  xpc_testing::hear();
  lingering one;
  talk.send(pack({{.what = reply, .id = first.id, .body = "no object", .attachments = 1}}),
            std::vector<int>{one.sender.get()});
  one.sender.reset();
  xpc_testing::say("sent");
  xpc_testing::hear();
}

}  // namespace

const std::map<std::string, behaviour>& behaviours() {
  static const std::map<std::string, behaviour> all{
      // T39, T40: what stands in the answer.
      {"no-dictionary",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id, .body = native(int64_value(1))});
       }},
      {"no-object",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id, .body = "nothing of the kind"});
       }},
      {"wrong-types",
       [](line& talk, const frame& first) {
         answer_with(
             talk,
             {.what = reply,
              .id = first.id,
              .body = native(dictionary_of({{"n", string_value("42")}, {"v", int64_value(1)}}))});
       }},
      {"failure-of-wrong-types",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = failure,
                            .id = first.id,
                            .body = failure_body({{"code", string_value("11")},
                                                  {"flags", data_value("xxxx")},
                                                  {"message", int64_value(7)},
                                                  {"remedy", dictionary_of({})},
                                                  {"cause", string_value("me")}})});
       }},
      {"failure-without-object",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = failure, .id = first.id, .body = "nothing of the kind"});
       }},
      // T47: who asked for it.
      {"foreign-id",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id + 1, .body = good_body()});
       }},
      {"twice",
       [](line& talk, const frame& first) {
         const frame once{.what = reply, .id = first.id, .body = good_body()};
         talk.send(pack({once, once}));
         serve(talk);
       }},
      {"again-later",
       [](line& talk, const frame& first) {
         const frame once{.what = reply, .id = first.id, .body = good_body()};
         talk.send(pack({once}));
         if (next_request(talk)) talk.send(pack({once}));
         serve(talk);
       }},
      {"a-row",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = row, .id = first.id, .body = good_body(), .sequence = 0});
       }},
      // A subscription: two rows, one that is no object, one more, and the end as if all were well.
      {"a-row-without-object",
       [](line& talk, const frame& first) {
         const fd file(::memfd_create("a row's", MFD_CLOEXEC));
         talk.send(pack({{.what = accepted, .id = first.id},
                         {.what = row, .id = first.id, .body = good_body(), .sequence = 0},
                         {.what = row, .id = first.id, .body = good_body(), .sequence = 1},
                         {.what = row, .id = first.id, .body = "no object", .sequence = 2},
                         {.what = row,
                          .id = first.id,
                          .body = native(dictionary_of({{"v", fd_value()}})),
                          .attachments = 1,
                          .sequence = 3},
                         {.what = end, .id = first.id, .sequence = 4}}),
                   std::vector<int>{file.get()});
         serve(talk);
       }},
      {"accepted",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = accepted, .id = first.id});
       }},
      {"late",
       [](line& talk, const frame& first) {
         // When the client has given up it says so; the answer comes after that.
         while (std::optional<frame> next = talk.receive())
           if (next->what == cancel && next->id == first.id) break;
         answer_with(talk, {.what = reply, .id = first.id, .body = good_body()});
       }},
      {"never", [](line& talk, const frame&) { serve(talk); }},
      // T42: how much.
      {"huge",
       [](line& talk, const frame& first) {
         std::string body = native(dictionary_of({{"v", data_value(std::string(400'000, 'x'))}}));
         for (std::size_t at = 0; at < body.size(); at += 100'000)
           talk.send(pack({{.what = reply,
                            .id = first.id,
                            .body = body.substr(at, 100'000),
                            .more = at + 100'000 < body.size()}}));
         serve(talk);
       }},
      {"a-gibibyte",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id, .body = "x", .length = 1u << 30});
       }},
      {"credit-that-falls",
       [](line& talk, const frame&) {
         answer_with(talk, {.what = credit, .body = number(std::uint64_t{1})});
       }},
      {"credit-without-end",
       [](line& talk, const frame&) {
         answer_with(talk, {.what = credit, .body = number(~std::uint64_t{0})});
       }},
      // T45: descriptors.
      {"unasked-descriptors",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id, .body = good_body(), .attachments = 200},
                     200);
       }},
      {"unannounced-descriptors",
       [](line& talk, const frame& first) {
         answer_with(talk, {.what = reply, .id = first.id, .body = good_body()}, 200);
       }},
      {"descriptors-with-a-control-frame",
       [](line& talk, const frame&) {
         answer_with(talk,
                     {.what = credit, .body = number(std::uint64_t{2 << 20}), .attachments = 1}, 1);
       }},
      {"a-file-for-an-endpoint",
       [](line& talk, const frame& first) {
         answer_with(talk,
                     {.what = reply,
                      .id = first.id,
                      .body = native(dictionary_of({{"v", endpoint_value()}})),
                      .attachments = 1},
                     1);
       }},
      {"lingering-socket", answer_with_lingering_socket},
      // T50, T51: how it ends.
      {"leaves", [](line& talk, const frame&) { talk.hang_up(); }},
      {"second-hello", [](line& talk, const frame&) { answer_with(talk, {.what = hello}); }},
      {"refuses-late",
       [](line& talk, const frame&) {
         answer_with(talk, {.what = refusal, .body = number(1u) + number(0u) + "not in the mood"});
       }},
  };
  return all;
}

}  // namespace hostile
