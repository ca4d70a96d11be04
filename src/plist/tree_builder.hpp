#pragma once

#include "plist/limits.hpp"
#include "plist/node.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace openxpc::plist {

/// Puts together the tree that a reader finds, and keeps the rules that all notations share: depth,
/// number of values, size of their text, one value per key. After the first fault every function
/// returns false and changes nothing.
class tree_builder {
 public:
  explicit tree_builder(const limits& most) : most_(most) {}

  /// Adds a value that holds no others, with `at` set.
  bool add(node&& leaf);
  /// Opens an array or a dictionary; what follows goes into it until end().
  bool begin(kind container, place at);
  bool end();
  /// Names the next value of the open dictionary.
  bool key(std::string name, place at);
  /// Records a fault, unless there is one.
  bool fail(place at, std::string text);

  bool failed() const noexcept { return fault_.has_value(); }
  /// An open dictionary waits for a key: a value would have no name.
  bool wants_key() const noexcept;
  bool in_dictionary() const noexcept {
    return !open_.empty() && open_.back().container.what == kind::dictionary;
  }
  bool in_container() const noexcept { return !open_.empty(); }
  /// The key whose value is missing; only when there is one (in_dictionary() and not wants_key()).
  const std::string& pending_key() const noexcept { return open_.back().next_key; }
  place pending_key_place() const noexcept { return open_.back().next_key_at; }
  bool complete() const noexcept { return complete_; }

  /// The outcome: the fault, or nothing and the tree in `out`. Call once, at the end, when
  /// complete() or failed().
  std::optional<fault> take(node& out);

 private:
  struct frame {
    node container;
    std::map<std::string, place, std::less<>> keys;  // a tree: nobody can choose keys that collide
    std::string next_key;
    place next_key_at;
    bool has_key = false;
  };

  bool charge(const node& value);
  void put(node&& value);

  limits most_;
  std::vector<frame> open_;
  node root_;
  std::optional<fault> fault_;
  std::size_t nodes_ = 0;
  std::size_t payload_ = 0;
  bool complete_ = false;
};

}  // namespace openxpc::plist
