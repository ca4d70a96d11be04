#include "plist/objects.hpp"

#include "base/misuse.hpp"
#include "plist/path.hpp"

#include <xpc/openxpc/object.h>
#include <xpc/xpc.h>

#include <utility>

namespace openxpc::plist {
namespace {

class describer {
 public:
  explicit describer(const limits& most) : most_(most) {}

  std::optional<fault> describe(xpc_object_t object, node& out) {
    node found;
    if (!value(object, found, 1)) return wrong_;
    out = std::move(found);
    return {};
  }

 private:
  bool fail(const std::string& reason) {
    wrong_ = fault{{}, at_.text() + ": " + reason};
    return false;
  }

  bool charge(std::size_t size) {
    if (++nodes_ > most_.nodes) return fail("more than " + std::to_string(most_.nodes) + " values");
    payload_ += size;
    if (payload_ > most_.payload)
      return fail("more than " + std::to_string(most_.payload) + " bytes of text and data");
    return true;
  }

  bool value(xpc_object_t object, node& out, std::size_t depth) {
    openxpc_value_t seen;
    if (!openxpc_object_read(object, &seen)) return fail("no object");
    bool is_container = seen.type == OPENXPC_TYPE_ARRAY || seen.type == OPENXPC_TYPE_DICTIONARY;
    if (!charge(is_container ? 0 : seen.size)) return false;
    if (is_container || seen.type == OPENXPC_TYPE_FILE_TRANSFER) {
      if (depth > most_.depth)
        return fail("nested deeper than " + std::to_string(most_.depth) + " levels");
      return container(object, seen, out, depth);
    }
    scalar(seen, out);
    return true;
  }

  static void scalar(const openxpc_value_t& seen, node& out) {
    switch (seen.type) {
      case OPENXPC_TYPE_NULL:
        out.what = kind::null;
        return;
      case OPENXPC_TYPE_BOOL:
        out.what = kind::boolean;
        out.boolean = seen.as.boolean;
        return;
      case OPENXPC_TYPE_INT64:
      case OPENXPC_TYPE_DATE:
        out.what = seen.type == OPENXPC_TYPE_DATE ? kind::date : kind::integer;
        out.integer = seen.as.int64;
        return;
      case OPENXPC_TYPE_UINT64:
        out.what = kind::natural;
        out.natural = seen.as.uint64;
        return;
      case OPENXPC_TYPE_DOUBLE:
        out.what = kind::real;
        out.real = seen.as.real;
        return;
      case OPENXPC_TYPE_DATA:
        out.what = kind::data;
        if (seen.size) out.text.assign(static_cast<const char*>(seen.as.bytes), seen.size);
        return;
      case OPENXPC_TYPE_STRING:
        out.what = kind::string;
        out.text.assign(seen.as.text, seen.size);
        return;
      case OPENXPC_TYPE_UUID:
        out.what = kind::uuid;
        out.text.assign(static_cast<const char*>(seen.as.bytes), 16);
        return;
      default:
        out.what = kind::other;
        out.text = openxpc_type_name(seen.type);
    }
  }

  bool container(xpc_object_t object, const openxpc_value_t& seen, node& out, std::size_t depth) {
    if (seen.type == OPENXPC_TYPE_FILE_TRANSFER) {
      out.what = kind::file_transfer;
      out.natural = openxpc_file_transfer_get_id(object);
      return value(openxpc_file_transfer_get_object(object), out.children.emplace_back(),
                   depth + 1);
    }
    visit visited{this, &out, depth + 1};
    if (seen.type == OPENXPC_TYPE_ARRAY) {
      out.what = kind::array;
      return openxpc_array_apply_f(
          object, &visited, [](void* context, size_t index, xpc_object_t child) {
            auto& to = *static_cast<visit*>(context);
            path::step down(to.self->at_, index);
            return to.self->value(child, to.parent->children.emplace_back(), to.depth);
          });
    }
    out.what = kind::dictionary;
    return openxpc_dictionary_apply_f(
        object, &visited, [](void* context, const char* key, size_t size, xpc_object_t child) {
          auto& to = *static_cast<visit*>(context);
          path::step down(to.self->at_, std::string_view(key, size));
          node& made = to.parent->children.emplace_back();
          made.key.assign(key, size);
          to.self->payload_ += size;
          return to.self->value(child, made, to.depth);
        });
  }

  struct visit {
    describer* self;
    node* parent;
    std::size_t depth;
  };

  limits most_;
  std::size_t nodes_ = 0;
  std::size_t payload_ = 0;
  path at_;
  std::optional<fault> wrong_;
};

xpc_object_t make_string(const std::string& text) {
  xpc_object_t made = openxpc_string_create_with_length(text.data(), text.size());
  if (!made) base::bug("a reader of property lists let a malformed string pass");
  return made;
}

xpc_object_t make_container(const node& tree) {
  if (tree.what == kind::array) {
    xpc_object_t array = xpc_array_create_empty();
    for (const node& child : tree.children)
      openxpc_array_put(array, XPC_ARRAY_APPEND, make_object(child));
    return array;
  }
  xpc_object_t dictionary = xpc_dictionary_create_empty();
  for (const node& child : tree.children)
    openxpc_dictionary_put(dictionary, child.key.data(), child.key.size(), make_object(child));
  return dictionary;
}

}  // namespace

xpc_object_t make_object(const node& tree) {
  switch (tree.what) {
    case kind::null:
      return xpc_null_create();
    case kind::boolean:
      return xpc_bool_create(tree.boolean);
    case kind::integer:
      return xpc_int64_create(tree.integer);
    case kind::natural:
      return xpc_uint64_create(tree.natural);
    case kind::real:
      return xpc_double_create(tree.real);
    case kind::date:
      return xpc_date_create(tree.integer);
    case kind::data:
      return xpc_data_create(tree.text.data(), tree.text.size());
    case kind::string:
      return make_string(tree.text);
    case kind::uuid:
      return xpc_uuid_create(reinterpret_cast<const unsigned char*>(tree.text.data()));
    case kind::array:
    case kind::dictionary:
      return make_container(tree);
    case kind::file_transfer: {
      xpc_object_t content = make_object(tree.children.front());
      xpc_object_t made = openxpc_file_transfer_create(tree.natural, content);
      xpc_release(content);
      return made;
    }
    case kind::other:
      break;
  }
  base::bug("a reader of property lists made a value of type \"%s\"", tree.text.c_str());
}

std::optional<fault> describe_object(xpc_object_t object, node& out, const limits& most) {
  return describer(most).describe(object, out);
}

}  // namespace openxpc::plist
