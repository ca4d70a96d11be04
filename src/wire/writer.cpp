// A container's length and count are known at its end only. Until then the two fields hold what the
// writer must remember of the container around it (where its length field stands and how many
// values it has), so any depth needs no memory.
#include "wire/writer.hpp"

namespace openxpc::wire {

void writer::begin(tag type) {
  if (too_large_) return;
  std::byte* at = put(type, 12);
  std::uint64_t length_field = written_bytes() - 8;
  if (length_field > most) {
    too_large_ = true;
    return;
  }
  base::store(at + 4, open_);
  base::store(at + 8, count_);
  open_ = static_cast<std::uint32_t>(length_field);
  count_ = 0;
}

void writer::end() noexcept {
  assert(open_ != none || too_large_);
  if (too_large_ || open_ == none) return;
  std::uint64_t length = written_bytes() - open_ - 4;
  if (length > most) {
    too_large_ = true;
    return;
  }
  std::byte* at = out_.data() + start_ + open_;
  std::uint32_t counted = count_;
  open_ = base::load<std::uint32_t>(at);
  count_ = base::load<std::uint32_t>(at + 4);
  base::store(at, static_cast<std::uint32_t>(length));
  base::store(at + 4, counted);
}

}  // namespace openxpc::wire
