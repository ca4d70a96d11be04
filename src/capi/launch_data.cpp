// The old value trees of <launch.h>.
#include "base/misuse.hpp"
#include "capi/handle.hpp"

#include <launch.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using openxpc::capi::need_pointer;

struct _launch_data {
  explicit _launch_data(launch_data_type_t what) noexcept : type(what) {}

  using owned = std::unique_ptr<_launch_data>;

  launch_data_type_t type;
  std::vector<std::pair<std::string, owned>> entries;  // in the order in which they came
  std::vector<owned> elements;
  std::string bytes;  // text, opaque
  long long number = 0;
  double real = 0;
  int fd = -1;
};

namespace {

constexpr std::size_t elements_most = std::size_t{1} << 24;

_launch_data& need(launch_data_t value, const char* function) {
  need_pointer(value, "the value", function);
  return *value;
}
bool is(launch_data_t value, launch_data_type_t wanted, const char* function) {
  return need(value, function).type == wanted;
}

auto find(_launch_data& in, const char* key) {
  auto at = in.entries.begin();
  while (at != in.entries.end() && at->first != key) ++at;
  return at;
}

_launch_data::owned copied(const _launch_data& of) {
  auto made = std::make_unique<_launch_data>(of.type);
  for (auto& [key, value] : of.entries) made->entries.emplace_back(key, copied(*value));
  for (auto& each : of.elements) made->elements.push_back(each ? copied(*each) : nullptr);
  made->bytes = of.bytes;
  made->number = of.number;
  made->real = of.real;
  made->fd = of.fd;
  return made;
}

launch_data_t with_number(launch_data_type_t what, long long number) {
  auto made = std::make_unique<_launch_data>(what);
  made->number = number;
  return made.release();
}

launch_data_t with_bytes(launch_data_type_t what, std::string bytes) {
  auto made = std::make_unique<_launch_data>(what);
  made->bytes = std::move(bytes);
  return made.release();
}

bool set_number(launch_data_t value, launch_data_type_t what, long long number,
                const char* function) {
  if (!is(value, what, function)) return false;
  value->number = number;
  return true;
}

long long number_of(launch_data_t value, launch_data_type_t what, const char* function) {
  return is(value, what, function) ? value->number : 0;
}

std::string bytes_of(const void* bytes, std::size_t size, const char* function) {
  if (size) need_pointer(bytes, "the bytes", function);
  return {static_cast<const char*>(bytes), size};
}

}  // namespace

launch_data_t launch_data_alloc(launch_data_type_t type) {
  if (type < LAUNCH_DATA_DICTIONARY || type > LAUNCH_DATA_MACHPORT)
    openxpc::base::misuse(__func__, "%d is no kind of value", static_cast<int>(type));
  return new _launch_data(type);
}

launch_data_t launch_data_copy(launch_data_t value) {
  return copied(need(value, __func__)).release();
}

launch_data_type_t launch_data_get_type(const launch_data_t value) {
  return need(value, __func__).type;
}

void launch_data_free(launch_data_t value) { delete &need(value, __func__); }

bool launch_data_dict_insert(launch_data_t dictionary, const launch_data_t value, const char* key) {
  need_pointer(value, "the value", __func__);
  need_pointer(key, "the key", __func__);
  if (!is(dictionary, LAUNCH_DATA_DICTIONARY, __func__)) return false;
  auto at = find(*dictionary, key);
  if (at == dictionary->entries.end())
    dictionary->entries.emplace_back(key, value);
  else if (at->second.get() != value)
    at->second.reset(value);
  return true;
}

launch_data_t launch_data_dict_lookup(const launch_data_t dictionary, const char* key) {
  need_pointer(key, "the key", __func__);
  if (!is(dictionary, LAUNCH_DATA_DICTIONARY, __func__)) return nullptr;
  auto at = find(*dictionary, key);
  return at == dictionary->entries.end() ? nullptr : at->second.get();
}

bool launch_data_dict_remove(launch_data_t dictionary, const char* key) {
  need_pointer(key, "the key", __func__);
  if (!is(dictionary, LAUNCH_DATA_DICTIONARY, __func__)) return false;
  auto at = find(*dictionary, key);
  if (at == dictionary->entries.end()) return false;
  dictionary->entries.erase(at);
  return true;
}

void launch_data_dict_iterate(const launch_data_t dictionary, launch_data_dict_iterator_t iterator,
                              void* context) {
  need_pointer(reinterpret_cast<void*>(iterator), "the iterator", __func__);
  if (!is(dictionary, LAUNCH_DATA_DICTIONARY, __func__)) return;
  for (auto& [key, value] : dictionary->entries) iterator(value.get(), key.c_str(), context);
}

size_t launch_data_dict_get_count(const launch_data_t dictionary) {
  return need(dictionary, __func__).entries.size();
}

bool launch_data_array_set_index(launch_data_t array, const launch_data_t value, size_t index) {
  need_pointer(value, "the value", __func__);
  if (!is(array, LAUNCH_DATA_ARRAY, __func__)) return false;
  if (index >= elements_most)
    openxpc::base::misuse(__func__, "the index is %zu, the largest is %zu", index,
                          elements_most - 1);
  if (index >= array->elements.size()) array->elements.resize(index + 1);
  auto& place = array->elements[index];
  if (place.get() != value) place.reset(value);
  return true;
}

launch_data_t launch_data_array_get_index(const launch_data_t array, size_t index) {
  auto& in = need(array, __func__).elements;
  return index < in.size() ? in[index].get() : nullptr;
}

size_t launch_data_array_get_count(const launch_data_t array) {
  return need(array, __func__).elements.size();
}

launch_data_t launch_data_new_fd(int borrowed_fd) {
  auto made = std::make_unique<_launch_data>(LAUNCH_DATA_FD);
  made->fd = borrowed_fd;
  return made.release();
}
launch_data_t launch_data_new_machport(mach_port_t port) {
  return with_number(LAUNCH_DATA_MACHPORT, port);
}
launch_data_t launch_data_new_integer(long long value) {
  return with_number(LAUNCH_DATA_INTEGER, value);
}
launch_data_t launch_data_new_bool(bool value) { return with_number(LAUNCH_DATA_BOOL, value); }
launch_data_t launch_data_new_real(double value) {
  auto made = std::make_unique<_launch_data>(LAUNCH_DATA_REAL);
  made->real = value;
  return made.release();
}
launch_data_t launch_data_new_string(const char* text) {
  need_pointer(text, "the text", __func__);
  return with_bytes(LAUNCH_DATA_STRING, text);
}
launch_data_t launch_data_new_opaque(const void* bytes, size_t size) {
  return with_bytes(LAUNCH_DATA_OPAQUE, bytes_of(bytes, size, __func__));
}

bool launch_data_set_fd(launch_data_t value, int borrowed_fd) {
  if (!is(value, LAUNCH_DATA_FD, __func__)) return false;
  value->fd = borrowed_fd;
  return true;
}
bool launch_data_set_machport(launch_data_t value, mach_port_t port) {
  return set_number(value, LAUNCH_DATA_MACHPORT, port, __func__);
}
bool launch_data_set_integer(launch_data_t value, long long number) {
  return set_number(value, LAUNCH_DATA_INTEGER, number, __func__);
}
bool launch_data_set_bool(launch_data_t value, bool yes) {
  return set_number(value, LAUNCH_DATA_BOOL, yes, __func__);
}
bool launch_data_set_real(launch_data_t value, double number) {
  if (!is(value, LAUNCH_DATA_REAL, __func__)) return false;
  value->real = number;
  return true;
}
bool launch_data_set_string(launch_data_t value, const char* text) {
  need_pointer(text, "the text", __func__);
  if (!is(value, LAUNCH_DATA_STRING, __func__)) return false;
  value->bytes = text;
  return true;
}
bool launch_data_set_opaque(launch_data_t value, const void* bytes, size_t size) {
  if (!is(value, LAUNCH_DATA_OPAQUE, __func__)) return false;
  value->bytes = bytes_of(bytes, size, __func__);
  return true;
}

int launch_data_get_fd(const launch_data_t value) {
  return is(value, LAUNCH_DATA_FD, __func__) ? value->fd : -1;
}
mach_port_t launch_data_get_machport(const launch_data_t value) {
  return static_cast<mach_port_t>(number_of(value, LAUNCH_DATA_MACHPORT, __func__));
}
long long launch_data_get_integer(const launch_data_t value) {
  return number_of(value, LAUNCH_DATA_INTEGER, __func__);
}
bool launch_data_get_bool(const launch_data_t value) {
  return number_of(value, LAUNCH_DATA_BOOL, __func__) != 0;
}
double launch_data_get_real(const launch_data_t value) {
  return is(value, LAUNCH_DATA_REAL, __func__) ? value->real : 0;
}
const char* launch_data_get_string(const launch_data_t value) {
  return is(value, LAUNCH_DATA_STRING, __func__) ? value->bytes.c_str() : nullptr;
}
void* launch_data_get_opaque(const launch_data_t value) {
  return is(value, LAUNCH_DATA_OPAQUE, __func__) ? value->bytes.data() : nullptr;
}
size_t launch_data_get_opaque_size(const launch_data_t value) {
  return is(value, LAUNCH_DATA_OPAQUE, __func__) ? value->bytes.size() : 0;
}
int launch_data_get_errno(const launch_data_t value) {
  return static_cast<int>(number_of(value, LAUNCH_DATA_ERRNO, __func__));
}

int launch_get_fd(void) {
  errno = ENOTSUP;
  return -1;
}

launch_data_t launch_msg(const launch_data_t request) {
  need_pointer(request, "the request", __func__);
  errno = ENOTSUP;
  return nullptr;
}
