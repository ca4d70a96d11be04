#pragma once

#include <xpc/openxpc.h>
#include <xpc/xpc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "verb.hpp"

/// What the verbs that talk to a service manager share.
namespace xpcctl {

struct release_object {
  void operator()(void* object) const noexcept { ::xpc_release(object); }
};
/// Owns one reference to an XPC object.
using object_ref = std::unique_ptr<void, release_object>;

/// {op: ...}.
object_ref request(const char* op);
void set(const object_ref& dictionary, const char* key, std::string_view text);

/// Asks the service manager of the domain. Empty when it failed: then the reason and what to do
/// about it were printed and
/// `*exit_code` says what to return.
object_ref ask(const settings& shared, const object_ref& request, int* exit_code);

/// The same for an order whose reply is of interest to programs only: printed with --json. @return
/// the exit code.
int carry_out(const settings& shared, const object_ref& order);

/// Prints why something failed, and how to help it. @return the exit code that fits.
int report_error(xpc_rich_error_t owned);
/// Prints an object as JSON for people, with a newline.
void print_json(xpc_object_t object);

/// Reading replies: what is missing or of another type is empty, zero or nothing.
std::string text_of(xpc_object_t dictionary, const char* key);
std::int64_t number_of(xpc_object_t dictionary, const char* key);
bool has(xpc_object_t dictionary, const char* key);
xpc_object_t find(xpc_object_t dictionary, const char* key);
/// Calls f(element) for each.
template <class F>
void each(xpc_object_t array, F f) {
  if (array == nullptr || ::openxpc_type_id(array) != OPENXPC_TYPE_ARRAY) return;
  for (std::size_t at = 0; at < ::xpc_array_get_count(array); ++at)
    f(::xpc_array_get_value(array, at));
}

/// "1.5 s", "3 min": a span of time for people.
std::string span(std::int64_t milliseconds);

}  // namespace xpcctl
