// Dictionaries: making, storing and walking. The typed getters and setters are in
// dictionary_typed.cpp.
#include "object/dictionary.hpp"

#include "base/misuse.hpp"
#include "capi/block.hpp"
#include "capi/handle.hpp"
#include "capi/reading.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

namespace base = openxpc::base;
namespace capi = openxpc::capi;
namespace object = openxpc::object;

xpc_object_t xpc_dictionary_create(const char* const* keys, const xpc_object_t* values,
                                   size_t count) {
  if (count && (!keys || !values))
    base::misuse(__func__, "%s is NULL, but the count is %zu", keys ? "values" : "keys", count);
  auto made = object::dictionary::create();
  for (size_t i = 0; i < count; ++i) {
    auto key = capi::need_key(keys[i], __func__);
    if (!values[i]) {
      made->remove(key);
      continue;
    }
    capi::need(values[i], __func__);
    made->set(key, capi::share(values[i]));
  }
  return capi::give(std::move(made));
}

xpc_object_t xpc_dictionary_create_empty(void) { return capi::give(object::dictionary::create()); }

void xpc_dictionary_set_value(xpc_object_t xdict, const char* key, xpc_object_t value) {
  auto& in = capi::dictionary_to_change(xdict, __func__);
  auto name = capi::need_key(key, __func__);
  if (!value) {
    in.remove(name);
    return;
  }
  capi::need(value, __func__);
  in.set(name, capi::share(value));
}

xpc_object_t xpc_dictionary_get_value(xpc_object_t xdict, const char* key) {
  auto found = capi::lookup(xdict, capi::need_key(key, __func__));
  return found ? found.as_object() : nullptr;
}

size_t xpc_dictionary_get_count(xpc_object_t xdict) {
  if (auto* in = object::as<object::dictionary>(xdict)) return in->count();
  return object::as<object::error>(xdict) ? 1 : 0;
}

bool xpc_dictionary_apply(xpc_object_t xdict, xpc_dictionary_applier_t applier) {
  capi::need_pointer(applier, "the block", __func__);
  return capi::each_entry(xdict, [&](std::string_view key, const object::item& value) {
    return capi::call_block<bool, const char*, xpc_object_t>(applier, key.data(),
                                                             value.as_object());
  });
}

void xpc_dictionary_apply_f(xpc_object_t xdict, void* context, xpc_dictionary_applier_f applier) {
  capi::need_pointer(reinterpret_cast<const void*>(applier), "the function", __func__);
  capi::each_entry(xdict, [&](std::string_view key, const object::item& value) {
    applier(key.data(), value.as_object(), context);
    return true;
  });
}

xpc_object_t xpc_dictionary_get_dictionary(xpc_object_t xdict, const char* key) {
  auto found = capi::lookup(xdict, capi::need_key(key, __func__));
  return found.is(OPENXPC_TYPE_DICTIONARY) ? found.as_object() : nullptr;
}

xpc_object_t xpc_dictionary_get_array(xpc_object_t xdict, const char* key) {
  auto found = capi::lookup(xdict, capi::need_key(key, __func__));
  return found.is(OPENXPC_TYPE_ARRAY) ? found.as_object() : nullptr;
}
