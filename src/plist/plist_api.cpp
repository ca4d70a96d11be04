// The C functions of xpc/openxpc/plist.h: check, read or write, tell what went wrong as a rich
// error. Running out of memory is an error, too: how much is needed depends on what somebody else
// wrote.

#include "base/misuse.hpp"
#include "plist/objects.hpp"
#include "plist/read.hpp"
#include "plist/write.hpp"

#include <xpc/openxpc/plist.h>

#include <cstdlib>
#include <cstring>
#include <new>

using namespace openxpc;
using namespace openxpc::plist;

struct openxpc_plist_locations_s {
  node root;
};

namespace {

void tell(xpc_rich_error_t* error, openxpc_error_code_t code, const std::string& message) {
  if (!error) return;
  openxpc_error_parts_t parts{};
  parts.struct_size = sizeof parts;
  parts.code = code;
  parts.message = message.c_str();
  *error = openxpc_error_create(&parts);
}

using reader = std::optional<fault> (*)(base::bytes, node&, const limits&);

xpc_object_t parse(const char* function, reader read, const void* bytes, std::size_t size,
                   const char* name, openxpc_plist_locations_t* locations,
                   xpc_rich_error_t* error) {
  if (!bytes && size) base::misuse(function, "bytes is NULL, size is %zu", size);
  try {
    node tree;
    base::bytes input(static_cast<const std::byte*>(bytes), size);
    if (std::optional<fault> wrong = read(input, tree, limits{})) {
      tell(error, OPENXPC_ERROR_MALFORMED, describe(*wrong, name ? name : "property list"));
      return nullptr;
    }
    xpc_object_t object = make_object(tree);
    if (locations) *locations = new openxpc_plist_locations_s{std::move(tree)};
    return object;
  } catch (const std::bad_alloc&) {
    tell(error, OPENXPC_ERROR_NO_RESOURCES,
         "no memory to read a property list of " + std::to_string(size) + " bytes");
    return nullptr;
  }
}

template <class Write>
char* write(const char* function, Write how, xpc_object_t object, size_t* size,
            xpc_rich_error_t* error) {
  if (!object) base::misuse(function, "the object is NULL");
  try {
    node tree;
    std::string text;
    std::optional<fault> wrong = describe_object(object, tree);
    if (!wrong) wrong = how(tree, text);
    if (wrong) {
      tell(error, OPENXPC_ERROR_INVALID_ARGUMENT, wrong->text);
      return nullptr;
    }
    auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, text.c_str(), text.size() + 1);
    if (size) *size = text.size();
    return copy;
  } catch (const std::bad_alloc&) {
    tell(error, OPENXPC_ERROR_NO_RESOURCES, "no memory to write a property list");
    return nullptr;
  }
}

template <std::optional<fault> (*read)(std::string_view, node&, const limits&)>
std::optional<fault> as_text(base::bytes input, node& out, const limits& most) {
  return read(base::as_text(input), out, most);
}

std::optional<fault> read_property_list(base::bytes input, node& out, const limits& most) {
  return looks_binary(input) ? read_binary(input, out, most)
                             : read_xml(base::as_text(input), out, most);
}

layout layout_of(const char* function, openxpc_json_flags_t flags) {
  if (flags & ~openxpc_json_flags_t{OPENXPC_JSON_PRETTY})
    base::misuse(function, "unknown flags %#x", flags);
  return flags & OPENXPC_JSON_PRETTY ? layout::pretty : layout::compact;
}

/// The child that a step of a path leads to, or null.
const node* child_at(const node& parent, std::string_view step) {
  for (std::size_t i = 0; i < parent.children.size(); ++i) {
    bool found = parent.what == kind::dictionary ? parent.children[i].key == step
                                                 : std::to_string(i) == step;
    if (found) return &parent.children[i];
  }
  return nullptr;
}

}  // namespace

xpc_object_t openxpc_plist_parse(const void* bytes, size_t size, const char* name,
                                 xpc_rich_error_t* error) {
  return parse(__func__, read_any, bytes, size, name, nullptr, error);
}

xpc_object_t openxpc_plist_parse_with_locations(const void* bytes, size_t size, const char* name,
                                                openxpc_plist_locations_t* locations,
                                                xpc_rich_error_t* error) {
  if (!locations) base::misuse(__func__, "locations is NULL");
  return parse(__func__, read_any, bytes, size, name, locations, error);
}

bool openxpc_plist_locations_find(openxpc_plist_locations_t locations, const char* const* path,
                                  size_t path_length, openxpc_plist_location_t* out) {
  if (!locations || !out || (!path && path_length)) base::misuse(__func__, "an argument is NULL");
  const node* at = &locations->root;
  for (size_t i = 0; i < path_length; ++i) {
    if (!path[i]) base::misuse(__func__, "step %zu of the path is NULL", i);
    at = child_at(*at, path[i]);
    if (!at) return false;
  }
  // Only a dictionary's children have a key; its place has a line in text and an offset, never 0,
  // in a binary list.
  bool has_key = at->key_at.line || at->key_at.offset;
  const place& key_at = has_key ? at->key_at : at->at;
  *out = {key_at.offset, at->at.offset, key_at.line, key_at.column, at->at.line, at->at.column};
  return true;
}

void openxpc_plist_locations_destroy(openxpc_plist_locations_t locations) { delete locations; }

xpc_object_t openxpc_json_parse(const char* text, size_t size, const char* name,
                                xpc_rich_error_t* error) {
  return parse(__func__, as_text<read_json>, text, size, name ? name : "JSON", nullptr, error);
}

xpc_object_t openxpc_typed_json_parse(const char* text, size_t size, const char* name,
                                      xpc_rich_error_t* error) {
  return parse(__func__, as_text<read_typed_json>, text, size, name ? name : "JSON", nullptr,
               error);
}

xpc_object_t xpc_create_from_plist(const void* bytes, size_t size) {
  return parse(__func__, read_property_list, bytes, size, nullptr, nullptr, nullptr);
}

char* openxpc_plist_write_xml(xpc_object_t object, size_t* size, xpc_rich_error_t* error) {
  return write(__func__, write_xml, object, size, error);
}

void* openxpc_plist_write_binary(xpc_object_t object, size_t* size, xpc_rich_error_t* error) {
  return write(__func__, write_binary, object, size, error);
}

char* openxpc_json_write(xpc_object_t object, openxpc_json_flags_t flags, size_t* size,
                         xpc_rich_error_t* error) {
  layout shape = layout_of(__func__, flags);
  auto how = [shape](const node& tree, std::string& out) {
    out = write_json(tree, shape);
    return std::optional<fault>();
  };
  return write(__func__, how, object, size, error);
}

char* openxpc_typed_json_write(xpc_object_t object, openxpc_json_flags_t flags, size_t* size,
                               xpc_rich_error_t* error) {
  layout shape = layout_of(__func__, flags);
  auto how = [shape](const node& tree, std::string& out) {
    return write_typed_json(tree, shape, out);
  };
  return write(__func__, how, object, size, error);
}
