#include "object/array.hpp"
#include "object/dictionary.hpp"
#include "object/file_transfer.hpp"
#include "object/value.hpp"

namespace openxpc::object {
namespace {

struct frame {
  const object* which;
  const frame* outer;
  unsigned depth;
};

ref<object> copied(const object& of, const frame* inside);

ref<object> copied_dictionary(const dictionary& of, const frame* inside) {
  // The bytes are constant: a copy of an untouched view is another view over them.
  if (of.untouched()) return dictionary::over(of.message(), of.view());
  auto made = dictionary::create();
  bool whole = of.each([&](std::string_view key, const item& value) {
    auto child = copied(*value.as_object(), inside);
    if (child) made->set(key, child);
    return static_cast<bool>(child);
  });
  return whole ? made : nullptr;
}

ref<object> copied_array(const array& of, const frame* inside) {
  if (of.untouched()) return array::over(of.message(), of.view());
  auto made = array::create();
  made->reserve(of.count());
  bool whole = of.each([&](std::size_t, const item& value) {
    auto child = copied(*value.as_object(), inside);
    if (child) made->append(child);
    return static_cast<bool>(child);
  });
  return whole ? made : nullptr;
}

ref<object> copied(const object& of, const frame* inside) {
  switch (of.what()) {
    case OPENXPC_TYPE_CONNECTION:
    case OPENXPC_TYPE_SESSION:
    case OPENXPC_TYPE_LISTENER:
    case OPENXPC_TYPE_ACTIVITY:
      return nullptr;
    case OPENXPC_TYPE_FD: {
      // A copy of a descriptor is not equal to the original (rule 13), so it must be another
      // object.
      return base::make_ref<descriptor>(static_cast<const descriptor&>(of).file());
    }
    case OPENXPC_TYPE_DICTIONARY:
    case OPENXPC_TYPE_ARRAY:
    case OPENXPC_TYPE_FILE_TRANSFER:
      break;
    default:
      return ref<object>::share(const_cast<object*>(&of));
  }
  frame here{&of, inside, inside ? inside->depth + 1 : 1};
  if (here.depth > deepest_walk) return nullptr;
  for (const frame* each = inside; each; each = each->outer)
    if (each->which == &of) return nullptr;
  if (auto* in = as<dictionary>(&of)) return copied_dictionary(*in, &here);
  if (auto* in = as<array>(&of)) return copied_array(*in, &here);
  auto& transfer = static_cast<const file_transfer&>(of);
  auto content = copied(*transfer.content(), &here);
  return content ? base::make_ref<file_transfer>(transfer.id(), std::move(content)) : nullptr;
}

}  // namespace

ref<object> copy(const object& of) { return copied(of, nullptr); }

}  // namespace openxpc::object
