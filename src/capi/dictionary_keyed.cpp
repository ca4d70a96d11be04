// The functions of <xpc/openxpc/object.h> on dictionaries: keys with their length, reads without
// objects.
#include "base/misuse.hpp"
#include "capi/plain.hpp"
#include "capi/reading.hpp"

#include <xpc/openxpc/object.h>

#include <bit>
#include <cstring>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

namespace {

object::item find(xpc_object_t dictionary, const char* key, size_t key_length,
                  const char* function) {
  capi::need_pointer(dictionary, "the dictionary", function);
  capi::need_pointer(key, "the key", function);
  return capi::lookup(dictionary, std::string_view(key, key_length));
}

void put(xpc_object_t dictionary, const char* key, size_t key_length,
         object::ref<object::object> value, const char* function) {
  auto& in = capi::dictionary_to_change(dictionary, function);
  in.set(capi::need_key(key, key_length, function), std::move(value));
}

/// The dictionary, and the key, checked.
struct target {
  target(xpc_object_t dictionary, const char* name, std::size_t length, const char* function)
      : in(capi::dictionary_to_change(dictionary, function)),
        key(capi::need_key(name, length, function)) {}
  object::dictionary& in;
  std::string_view key;
};

/// FOUND, MISSING, or what stands there instead.
openxpc_read_t judge(const object::item& found, object::kind wanted) noexcept {
  if (!found) return OPENXPC_MISSING;
  object::kind what = found.what();
  return what == wanted ? OPENXPC_FOUND : static_cast<openxpc_read_t>(what);
}

}  // namespace

// ---- Reading

bool openxpc_object_read(xpc_object_t handle, openxpc_value_t* out) {
  if (!handle) return false;
  *out = capi::to_value(object::item(static_cast<object::object*>(handle)));
  return true;
}

bool openxpc_dictionary_read(xpc_object_t dictionary, const char* key, size_t key_length,
                             openxpc_value_t* out) {
  auto found = find(dictionary, key, key_length, __func__);
  if (!found) return false;
  *out = capi::to_value(found);
  return true;
}

openxpc_read_t openxpc_dictionary_get_bool_if(xpc_object_t dictionary, const char* key,
                                              size_t key_length, bool* out) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_BOOL);
  if (verdict == OPENXPC_FOUND) *out = found.to_bool();
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_int64_if(xpc_object_t dictionary, const char* key,
                                               size_t key_length, int64_t* out) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_INT64);
  if (verdict == OPENXPC_FOUND) *out = static_cast<int64_t>(found.to_bits());
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_uint64_if(xpc_object_t dictionary, const char* key,
                                                size_t key_length, uint64_t* out) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_UINT64);
  if (verdict == OPENXPC_FOUND) *out = found.to_bits();
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_double_if(xpc_object_t dictionary, const char* key,
                                                size_t key_length, double* out) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_DOUBLE);
  if (verdict == OPENXPC_FOUND) *out = std::bit_cast<double>(found.to_bits());
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_date_if(xpc_object_t dictionary, const char* key,
                                              size_t key_length, int64_t* out) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_DATE);
  if (verdict == OPENXPC_FOUND) *out = static_cast<int64_t>(found.to_bits());
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_data_if(xpc_object_t dictionary, const char* key,
                                              size_t key_length, const void** bytes, size_t* size) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_DATA);
  if (verdict != OPENXPC_FOUND) return verdict;
  *bytes = found.to_data().data();
  *size = found.to_data().size();
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_string_if(xpc_object_t dictionary, const char* key,
                                                size_t key_length, const char** text,
                                                size_t* length) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_STRING);
  if (verdict != OPENXPC_FOUND) return verdict;
  *text = found.to_string().data();
  *length = found.to_string().size();
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_uuid_if(xpc_object_t dictionary, const char* key,
                                              size_t key_length, uint8_t out[16]) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_UUID);
  if (verdict == OPENXPC_FOUND) std::memcpy(out, found.to_uuid(), 16);
  return verdict;
}
openxpc_read_t openxpc_dictionary_get_fd_if(xpc_object_t dictionary, const char* key,
                                            size_t key_length, int* borrowed_fd) {
  auto found = find(dictionary, key, key_length, __func__);
  auto verdict = judge(found, OPENXPC_TYPE_FD);
  if (verdict == OPENXPC_FOUND) *borrowed_fd = found.to_file()->get();
  return verdict;
}

xpc_object_t openxpc_dictionary_get_value(xpc_object_t dictionary, const char* key,
                                          size_t key_length) {
  auto found = find(dictionary, key, key_length, __func__);
  return found ? found.as_object() : nullptr;
}

// ---- Changing

void openxpc_dictionary_set_value(xpc_object_t dictionary, const char* key, size_t key_length,
                                  xpc_object_t value) {
  if (!value) {
    openxpc_dictionary_remove(dictionary, key, key_length);
    return;
  }
  capi::need(value, __func__);
  put(dictionary, key, key_length, capi::share(value), __func__);
}

void openxpc_dictionary_put(xpc_object_t dictionary, const char* key, size_t key_length,
                            xpc_object_t owned_value) {
  put(dictionary, key, key_length,
      object::ref<object::object>::adopt(&capi::need(owned_value, __func__)), __func__);
}

xpc_object_t openxpc_dictionary_take(xpc_object_t dictionary, const char* key, size_t key_length) {
  auto& in = capi::dictionary_to_change(dictionary, __func__);
  return capi::give(in.take(capi::need_key(key, key_length, __func__)));
}

bool openxpc_dictionary_remove(xpc_object_t dictionary, const char* key, size_t key_length) {
  auto& in = capi::dictionary_to_change(dictionary, __func__);
  return in.remove(capi::need_key(key, key_length, __func__));
}

void openxpc_dictionary_set_bool(xpc_object_t dictionary, const char* key, size_t key_length,
                                 bool value) {
  target to(dictionary, key, key_length, __func__);
  capi::put_bool(to.in, to.key, value);
}
void openxpc_dictionary_set_int64(xpc_object_t dictionary, const char* key, size_t key_length,
                                  int64_t value) {
  target to(dictionary, key, key_length, __func__);
  capi::put_int64(to.in, to.key, value);
}
void openxpc_dictionary_set_uint64(xpc_object_t dictionary, const char* key, size_t key_length,
                                   uint64_t value) {
  target to(dictionary, key, key_length, __func__);
  capi::put_uint64(to.in, to.key, value);
}
void openxpc_dictionary_set_double(xpc_object_t dictionary, const char* key, size_t key_length,
                                   double value) {
  target to(dictionary, key, key_length, __func__);
  capi::put_double(to.in, to.key, value);
}
void openxpc_dictionary_set_date(xpc_object_t dictionary, const char* key, size_t key_length,
                                 int64_t nanoseconds) {
  target to(dictionary, key, key_length, __func__);
  capi::put_date(to.in, to.key, nanoseconds);
}
void openxpc_dictionary_set_data(xpc_object_t dictionary, const char* key, size_t key_length,
                                 const void* bytes, size_t size) {
  target to(dictionary, key, key_length, __func__);
  capi::put_data(to.in, to.key, bytes, size, __func__);
}
bool openxpc_dictionary_set_string(xpc_object_t dictionary, const char* key, size_t key_length,
                                   const char* text, size_t length) {
  if (length) capi::need_pointer(text, "the string", __func__);
  std::string_view content(text, length);
  if (!base::is_utf8(content)) return false;
  target to(dictionary, key, key_length, __func__);
  capi::put_string(to.in, to.key, content, true);
  return true;
}
void openxpc_dictionary_set_uuid(xpc_object_t dictionary, const char* key, size_t key_length,
                                 const uint8_t uuid[16]) {
  target to(dictionary, key, key_length, __func__);
  capi::put_uuid(to.in, to.key, uuid, __func__);
}

// ---- Walking

bool openxpc_dictionary_apply_f(xpc_object_t dictionary, void* context,
                                openxpc_dictionary_applier_t applier) {
  capi::need_pointer(dictionary, "the dictionary", __func__);
  return capi::each_entry(dictionary, [&](std::string_view key, const object::item& value) {
    return applier(context, key.data(), key.size(), value.as_object());
  });
}

bool openxpc_dictionary_read_each_f(xpc_object_t dictionary, void* context,
                                    openxpc_dictionary_reader_t reader) {
  capi::need_pointer(dictionary, "the dictionary", __func__);
  return capi::each_entry(dictionary, [&](std::string_view key, const object::item& value) {
    openxpc_value_t read = capi::to_value(value);
    return reader(context, key.data(), key.size(), &read);
  });
}
