#include "object/dictionary.hpp"

#include "base/utf8.hpp"

namespace openxpc::object {

ref<dictionary> dictionary::over(ref<source> message, wire::value encoded) {
  return ref<dictionary>::adopt(new dictionary(std::move(message), encoded));
}

// ---- Reading

item dictionary::find(std::string_view key) const {
  if (is_view()) return find_in_view(key);
  std::uint32_t position = position_of(key);
  return position == none ? item() : item_at(position);
}

item dictionary::find_in_view(std::string_view key) const {
  lend();
  if (view().count() > indexed_above) {
    const view_index& index = index_of_view();
    std::uint32_t ordinal = index.find(key);
    if (ordinal == none) return {};
    return {this, ordinal, made_child(ordinal), index.value_at(ordinal)};
  }
  auto found = [&](std::uint32_t ordinal, wire::value content) {
    next_guess_.store(std::uint64_t{content.end_offset()} << 32 | (ordinal + 1),
                      std::memory_order_relaxed);
    return item(this, ordinal, made_child(ordinal), content);
  };
  const std::uint64_t guess = next_guess_.load(std::memory_order_relaxed);
  const auto guessed = static_cast<std::uint32_t>(guess);
  if (guessed != 0 && guessed < view().count()) {
    const wire::entry next =
        wire::entry_at(message()->bytes().data(), static_cast<std::uint32_t>(guess >> 32));
    if (next.key == key) return found(guessed, next.content);
  }
  std::uint32_t ordinal = 0;
  for (const wire::entry& each : view().entries()) {
    if (each.key == key) return found(ordinal, each.content);
    ++ordinal;
  }
  return {};
}

const view_index& dictionary::index_of_view() const {
  view_index* index = index_of_view_.load(std::memory_order_acquire);
  if (index) return *index;
  auto fresh = std::make_unique<view_index>(view(), message()->bytes().data());
  if (index_of_view_.compare_exchange_strong(index, fresh.get(), std::memory_order_acq_rel,
                                             std::memory_order_acquire))
    return *fresh.release();
  return *index;
}

item dictionary::item_at(std::uint32_t position) const noexcept {
  const entry& at = entries_[position];
  return {this, position, at.value.get(), at.encoded ? message()->at(at.encoded) : wire::value()};
}

std::uint32_t dictionary::position_of(std::string_view key) const noexcept {
  if (indexed_)
    return index_.find(key_hash(key), [&](auto at) { return entries_[at].key.text() == key; });
  for (std::uint32_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].key.text() == key) return i;
  return none;
}

// ---- Changing

void dictionary::make_native() {
  if (!is_view()) return;
  entries_.reserve(view().count() + 1);
  std::uint32_t ordinal = 0;
  for (const wire::entry& each : view().entries())
    append(key_text::lent(each.key), take_child(ordinal++), each.content.offset());
  delete index_of_view_.exchange(nullptr, std::memory_order_relaxed);
  become_native();
  growing_ = false;
}

void dictionary::append(key_text&& key, slot&& value, std::uint32_t encoded) {
  if (entries_.empty()) entries_.reserve(6);  // most messages are small: one allocation, not four
  entries_.push_back({std::move(key), std::move(value), encoded, 0});
  if (entries_.size() <= indexed_above) return;
  if (!indexed_) {
    index_.reset(entries_.size());
    indexed_ = true;
    for (std::uint32_t i = 0; i + 1 < entries_.size(); ++i)
      index_.add(entries_[i].hash = key_hash(entries_[i].key.text()), i);
  }
  entry& last = entries_.back();
  last.hash = key_hash(last.key.text());
  index_.add(last.hash, static_cast<std::uint32_t>(entries_.size() - 1));
}

void dictionary::set(std::string_view key, ref<object> value) {
  make_native();
  std::uint32_t position = position_of(key);
  if (position == none) {
    if (!base::is_utf8(key)) keys_are_utf8_ = false;
    return append(key_text(key), slot(std::move(value)), 0);
  }
  entries_[position].encoded = 0;
  entries_[position].value.reset(std::move(value));
}

dictionary::entry dictionary::remove_at(std::uint32_t position) noexcept {
  entry gone = std::move(entries_[position]);
  auto last = static_cast<std::uint32_t>(entries_.size() - 1);
  if (!indexed_) {
    entries_.erase(entries_.begin() + position);
    return gone;
  }
  index_.remove(gone.hash, position);
  if (position != last) {
    index_.move(entries_[last].hash, last, position);
    entries_[position] = std::move(entries_[last]);
  }
  entries_.pop_back();
  if (entries_.size() <= indexed_above) indexed_ = false;
  return gone;
}

ref<object> dictionary::take(std::string_view key) {
  item found = find(key);
  if (!found) return nullptr;
  found.as_object();
  make_native();
  return remove_at(position_of(key)).value.take();
}

bool dictionary::remove(std::string_view key) {
  if (!find(key)) return false;
  make_native();
  remove_at(position_of(key));
  return true;
}

ref<dictionary> dictionary::shallow_copy() const {
  if (untouched()) return over(message(), view());
  auto copy = create();
  if (is_view()) {
    // A view with a changed child: the children must be shared, so each is carried over as an
    // object.
    each([&](std::string_view key, const item& value) {
      copy->set(key, ref<object>::share(value.as_object()));
      return true;
    });
    return copy;
  }
  copy->keys_are_utf8_ = keys_are_utf8_;
  for (std::uint32_t i = 0; i < entries_.size(); ++i)
    copy->append(key_text(entries_[i].key.text()), slot(ref<object>::share(item_at(i).as_object())),
                 0);
  return copy;
}

}  // namespace openxpc::object
