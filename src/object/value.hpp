#pragma once

#include "object/item.hpp"

#include <cstddef>

namespace openxpc::object {

/// Same kind and same value (rules 11 to 15). Cyclic containers come to an end: what is being
/// compared already counts as equal.
bool equal(const item& a, const item& b);
inline bool equal(object& a, object& b) { return equal(item(&a), item(&b)); }

/// Equal values have equal hashes (rule 14).
std::size_t hash(const item& of);
inline std::size_t hash(object& of) { return hash(item(&of)); }

/// A deep copy; immutable objects are shared. Null for what cannot be copied: connections and their
/// like, containers that hold such, that hold themselves, or that nest beyond 512 (rule 10).
ref<object> copy(const object& of);

/// Containers nest no deeper in copy() and equal(); beyond, copy() gives up and equal() says no.
inline constexpr unsigned deepest_walk = 512;

}  // namespace openxpc::object
