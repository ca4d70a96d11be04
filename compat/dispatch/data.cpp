#include "dispatch/data.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "dispatch/block_abi.hpp"
#include "dispatch/queue.hpp"
#include "dispatch/root.hpp"

struct dispatch_data_s_name {
  char unused[16];
};
extern "C" {
extern __attribute__((visibility("default"))) dispatch_data_s_name
    empty_name asm("_dispatch_data_empty");
dispatch_data_s_name empty_name{};
}

namespace openxpc::dispatch {
namespace {

using piece_list = std::vector<data::piece>;

dispatch_data_t owned(piece_list&& from) {
  if (from.empty()) return dispatch_data_empty;
  return wrap<dispatch_data_t>(new data(std::move(from)));
}

/// New data that owns a copy.
dispatch_data_t copied(const void* bytes, std::size_t size) {
  if (size == 0) return dispatch_data_empty;
  auto buffer = std::make_shared<data::buffer>();
  auto* copy = static_cast<std::byte*>(std::malloc(size));
  if (!copy) return nullptr;
  std::memcpy(copy, bytes, size);
  buffer->bytes = copy;
  buffer->size = size;
  buffer->destructor = std::free;
  buffer->context = copy;
  return owned(piece_list{{std::move(buffer), 0, size}});
}

}  // namespace

data::buffer::~buffer() {
  if (!destructor) return;
  if (where)
    where->async(context, destructor);
  else
    destructor(context);
}

data::data(std::vector<piece> from, bool counts) : object(is, counts), pieces_(std::move(from)) {
  for (auto& each : pieces_) size_ += each.size;
}

std::vector<data::piece> data::part(std::size_t offset, std::size_t length) const {
  std::vector<piece> result;
  for (auto& each : pieces_) {
    if (length == 0) break;
    if (offset >= each.size) {
      offset -= each.size;
      continue;
    }
    std::size_t size = std::min(each.size - offset, length);
    result.push_back({each.from, each.offset + offset, size});
    offset = 0;
    length -= size;
  }
  return result;
}

data& empty_data() noexcept {
  static data* made = new data({}, false);
  return *made;
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_data_t dispatch_data_create_f(const void* bytes, size_t size, dispatch_queue_t where,
                                       void* context, dispatch_function_t destructor) {
  if (!destructor) return copied(bytes, size);
  auto buffer = std::make_shared<data::buffer>();
  buffer->bytes = static_cast<const std::byte*>(bytes);
  buffer->size = size;
  buffer->where = held<queue>(where ? &as<queue>(where, __func__) : &default_queue());
  buffer->context = context;
  buffer->destructor = destructor;
  return size ? owned(piece_list{{std::move(buffer), 0, size}}) : dispatch_data_empty;
}

dispatch_data_t dispatch_data_create(const void* bytes, size_t size, dispatch_queue_t where,
                                     dispatch_block_t destructor) {
  if (!destructor) return copied(bytes, size);
  void* own = const_cast<void*>(bytes);
  if (destructor == _dispatch_data_destructor_free)
    return dispatch_data_create_f(bytes, size, where, own, std::free);
  if (destructor == _dispatch_data_destructor_munmap) {
    auto* range = new std::pair<void*, size_t>(own, size);
    return dispatch_data_create_f(bytes, size, where, range, [](void* context) {
      std::unique_ptr<std::pair<void*, size_t>> mine(
          static_cast<std::pair<void*, size_t>*>(context));
      ::munmap(mine->first, mine->second);
    });
  }
  return dispatch_data_create_f(bytes, size, where, block_abi::copy(destructor),
                                block_abi::call_and_release);
}

size_t dispatch_data_get_size(dispatch_data_t handle) { return as<data>(handle, __func__).size(); }

dispatch_data_t dispatch_data_create_concat(dispatch_data_t first, dispatch_data_t second) {
  piece_list all = as<data>(first, __func__).pieces();
  auto& more = as<data>(second, __func__).pieces();
  all.insert(all.end(), more.begin(), more.end());
  return owned(std::move(all));
}

dispatch_data_t dispatch_data_create_subrange(dispatch_data_t handle, size_t offset,
                                              size_t length) {
  return owned(as<data>(handle, __func__).part(offset, length));
}

dispatch_data_t dispatch_data_create_map(dispatch_data_t handle, const void** bytes, size_t* size) {
  auto& from = as<data>(handle, __func__);
  dispatch_data_t made = handle;
  if (from.pieces().size() <= 1) {
    from.retain_for_program(__func__);
  } else {
    auto* flat = static_cast<std::byte*>(std::malloc(from.size()));
    if (!flat) return nullptr;
    std::size_t at = 0;
    for (auto& each : from.pieces()) {
      std::memcpy(flat + at, each.bytes(), each.size);
      at += each.size;
    }
    auto buffer = std::make_shared<data::buffer>();
    buffer->bytes = flat;
    buffer->size = from.size();
    buffer->context = flat;
    buffer->destructor = std::free;
    made = owned(piece_list{{std::move(buffer), 0, from.size()}});
  }
  auto& flat = as<data>(made, __func__);
  if (bytes) *bytes = flat.pieces().empty() ? nullptr : flat.pieces().front().bytes();
  if (size) *size = flat.size();
  return made;
}

dispatch_data_t dispatch_data_copy_region(dispatch_data_t handle, size_t location, size_t* offset) {
  std::size_t begin = 0;
  for (auto& each : as<data>(handle, __func__).pieces()) {
    if (location - begin < each.size) {
      *offset = begin;
      return owned(piece_list{each});
    }
    begin += each.size;
  }
  *offset = begin;
  return dispatch_data_empty;
}

bool dispatch_data_apply_f(dispatch_data_t handle, void* context,
                           bool (*visit)(void*, dispatch_data_t, size_t, const void*, size_t)) {
  std::size_t offset = 0;
  for (auto& each : as<data>(handle, __func__).pieces()) {
    dispatch_data_t region = owned(piece_list{each});
    bool go_on = visit(context, region, offset, each.bytes(), each.size);
    dispatch_release(region);
    if (!go_on) return false;
    offset += each.size;
  }
  return true;
}

bool dispatch_data_apply(dispatch_data_t handle, dispatch_data_applier_t applier) {
  return dispatch_data_apply_f(
      handle, applier,
      [](void* block, dispatch_data_t region, size_t offset, const void* bytes, size_t size) {
        return block_abi::call_with_region(block, region, offset, bytes, size);
      });
}
