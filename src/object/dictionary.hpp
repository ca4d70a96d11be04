#pragma once

#include "object/container.hpp"
#include "object/dictionary_index.hpp"
#include "object/key_text.hpp"

#include <memory>
#include <vector>

namespace openxpc::object {

/// A key with a plain value as it will travel. Lent.
struct plain_entry {
  std::string_view key;
  wire::tag what{};
  /// What stands behind the tag, for strings and data without length and padding; strings must be
  /// valid.
  base::bytes content;
};

/// Keys and values, and the only object that can be sent. Entries keep the order in which they were
/// added, until one is removed from a large dictionary; nobody may rely on it. Threads: see
/// container.
class dictionary final : public container {
 public:
  static constexpr kind its_kind = OPENXPC_TYPE_DICTIONARY;

  static ref<dictionary> create() { return ref<dictionary>::adopt(new dictionary); }
  /// create() and grow() for each entry, in one go. Null where set() is needed, or for equal keys.
  static ref<dictionary> filled(std::span<const plain_entry> entries);
  /// A view. Precondition: `encoded` is a dictionary of the message.
  static ref<dictionary> over(ref<source> message, wire::value encoded);

  std::size_t count() const noexcept { return is_view() ? view().count() : entries_.size(); }
  /// The value of a key, or an empty item. Makes no object.
  item find(std::string_view key) const;
  /// The value of a key as an object, lent; null when there is none.
  object* get(std::string_view key) const {
    item found = find(key);
    return found ? found.as_object() : nullptr;
  }

  // Changing. Precondition: nothing walks through the dictionary; keys have no NUL inside and are
  // at most key_text::longest.
  void set(std::string_view key, ref<object> value);
  /// set() for a plain value under a new key in a dictionary that so far has only been filled with
  /// such: the dictionary is its own encoding then, and no object is made (growing.cpp). False,
  /// with nothing done, when it has to be set() as an object.
  bool grow(const plain_entry& added);
  /// Null when there was none.
  ref<object> take(std::string_view key);
  bool remove(std::string_view key);

  /// Calls f(key, item) for each entry until it returns false; whether it never did. A NUL stands
  /// behind the key.
  template <class F>
  bool each(F f) const {
    if (is_view()) {
      lend();
      std::uint32_t ordinal = 0;
      for (const wire::entry& each : view().entries()) {
        if (!f(each.key, item(this, ordinal, made_child(ordinal), each.content))) return false;
        ++ordinal;
      }
      return true;
    }
    for (std::uint32_t i = 0; i < entries_.size(); ++i)
      if (!f(entries_[i].key.text(), item_at(i))) return false;
    return true;
  }
  /// False if a key was ever set that is not UTF-8, which only the local program's own can be.
  bool keys_are_utf8() const noexcept { return keys_are_utf8_; }

  /// A dictionary of its own with the same values; children are shared. Neither copy carries the
  /// context.
  ref<dictionary> shallow_copy() const;

  /// What the connection layer hangs on a received message (remote connection, right to reply) or
  /// on a reply; let go with the dictionary. Copies do not carry it. Not synchronised.
  base::counted* context() const noexcept { return context_.get(); }
  void set_context(ref<base::counted> context) noexcept { context_ = std::move(context); }

  void describe(describer& out) const override;

 private:
  struct entry {
    key_text key;
    slot value;
    std::uint32_t encoded;  // offset in the message; 0: there is only the object
    std::uint32_t hash;     // once indexed
  };
  static constexpr std::uint32_t none = position_index::none;

  dictionary() noexcept : container(its_kind) {}
  dictionary(ref<source> message, wire::value encoded) noexcept
      : container(its_kind, std::move(message), encoded) {}
  ~dictionary() { delete index_of_view_.load(std::memory_order_relaxed); }

  slot& native_slot(std::uint32_t ordinal) const noexcept override {
    return const_cast<dictionary*>(this)->entries_[ordinal].value;
  }
  void free_now() noexcept override { delete this; }

  item find_in_view(std::string_view key) const;
  /// Pointers into the encoding may be with the program from now on: it must not move.
  void lend() const noexcept {
    if (growing_) lent_.store(true, std::memory_order_relaxed);
  }
  bool may_grow(std::string_view key, std::uint64_t key_bit) const;
  void count_grown(std::uint32_t count, std::uint64_t keys) noexcept;
  const view_index& index_of_view() const;
  item item_at(std::uint32_t position) const noexcept;
  std::uint32_t position_of(std::string_view key) const noexcept;
  void make_native();
  void append(key_text&& key, slot&& value, std::uint32_t encoded);
  entry remove_at(std::uint32_t position) noexcept;

  std::vector<entry> entries_;
  position_index index_;  // in use while there are more than indexed_above entries
  bool indexed_ = false;
  bool growing_ = false;  // a view over a message that only this dictionary writes
  mutable std::atomic<bool> lent_{false};
  std::uint64_t grown_keys_ = 0;  // while growing: a bit for each key, by a cheap hash
  bool keys_are_utf8_ = true;
  mutable std::atomic<view_index*> index_of_view_{nullptr};
  /// Behind the entry that was found last: its ordinal and, above it, its offset. Readers mostly
  /// ask in the order in which the writer wrote.
  mutable std::atomic<std::uint64_t> next_guess_{0};
  ref<base::counted> context_;
};

}  // namespace openxpc::object
