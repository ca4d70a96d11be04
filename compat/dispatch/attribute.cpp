#include "dispatch/attribute.hpp"

#include <cstdint>

#include "dispatch/bug.hpp"

// Attributes are constants: each combination has an address in a table, and nothing else stands
// there.

struct dispatch_queue_attr_s_name {
  char unused[16];
};
extern "C" {
extern __attribute__((visibility("default"))) dispatch_queue_attr_s_name
    concurrent_name asm("_dispatch_queue_attr_concurrent");
dispatch_queue_attr_s_name concurrent_name{};
}

namespace openxpc::dispatch {
namespace {

constexpr dispatch_qos_class_t classes[] = {QOS_CLASS_UNSPECIFIED,    QOS_CLASS_BACKGROUND,
                                            QOS_CLASS_UTILITY,        QOS_CLASS_DEFAULT,
                                            QOS_CLASS_USER_INITIATED, QOS_CLASS_USER_INTERACTIVE};
constexpr unsigned class_count = 6, priority_count = 1 - QOS_MIN_RELATIVE_PRIORITY;
char table[2 * 2 * class_count * priority_count];

dispatch_queue_attr_t handle_of(const attribute& a) noexcept {
  unsigned qos = 0;
  while (qos < class_count && classes[qos] != a.qos) ++qos;
  unsigned index =
      ((qos * priority_count + static_cast<unsigned>(-a.relative_priority)) * 2 + a.inactive) * 2 +
      a.concurrent;
  if (index == 0) return nullptr;
  if (index == 1) return &_dispatch_queue_attr_concurrent;
  return reinterpret_cast<dispatch_queue_attr_t>(&table[index]);
}

}  // namespace

bool is_qos(dispatch_qos_class_t qos) noexcept {
  for (auto each : classes)
    if (each == qos) return true;
  return false;
}

bool is_attribute(const void* at) noexcept {
  auto number = reinterpret_cast<std::uintptr_t>(at),
       first = reinterpret_cast<std::uintptr_t>(table);
  return at == static_cast<const void*>(&_dispatch_queue_attr_concurrent) ||
         (number >= first && number < first + sizeof table);
}

attribute attribute_of(dispatch_queue_attr_t handle, const char* caller) noexcept {
  attribute a;
  if (!handle) return a;
  if (!is_attribute(handle)) client_bug(caller, "the attribute is not one");
  unsigned index = 1;
  if (handle != &_dispatch_queue_attr_concurrent)
    index = static_cast<unsigned>(reinterpret_cast<char*>(handle) - table);
  a.concurrent = index % 2;
  a.inactive = index / 2 % 2;
  a.relative_priority = -static_cast<int>(index / 4 % priority_count);
  a.qos = classes[index / 4 / priority_count];
  return a;
}

}  // namespace openxpc::dispatch

using namespace openxpc::dispatch;

dispatch_queue_attr_t dispatch_queue_attr_make_initially_inactive(dispatch_queue_attr_t attribute) {
  auto a = attribute_of(attribute, __func__);
  a.inactive = true;
  return handle_of(a);
}

dispatch_queue_attr_t dispatch_queue_attr_make_with_qos_class(dispatch_queue_attr_t attribute,
                                                              dispatch_qos_class_t qos_class,
                                                              int relative_priority) {
  if (!is_qos(qos_class) || relative_priority > 0 || relative_priority < QOS_MIN_RELATIVE_PRIORITY)
    return attribute;
  auto a = attribute_of(attribute, __func__);
  a.qos = qos_class;
  a.relative_priority = relative_priority;
  return handle_of(a);
}

dispatch_queue_attr_t dispatch_queue_attr_make_with_autorelease_frequency(
    dispatch_queue_attr_t attribute, dispatch_autorelease_frequency_t) {
  return attribute;
}
