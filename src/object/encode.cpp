// One walk over the tree. What came in a message and is untouched is copied as the bytes it already
// is; everything else is written value by value. The path to a value is kept as a chain of frames
// on the stack and spelt out only when something is wrong.
#include "base/utf8.hpp"
#include "object/array.hpp"
#include "object/codec.hpp"
#include "object/data.hpp"
#include "object/endpoint.hpp"
#include "object/file_transfer.hpp"
#include "object/string.hpp"
#include "wire/writer.hpp"

#include <bit>

namespace openxpc::object {
namespace {

constexpr unsigned deepest = wire::limits{}.depth;

/// Depth of a validated value, itself counted; containers and file transfers count.
unsigned depth_of(wire::value of) {
  unsigned deepest_child = 0;
  switch (of.type()) {
    case wire::tag::dictionary:
      for (const wire::entry& each : of.entries())
        deepest_child = std::max(deepest_child, depth_of(each.content));
      return deepest_child + 1;
    case wire::tag::array:
      for (wire::value each : of.elements())
        deepest_child = std::max(deepest_child, depth_of(each));
      return deepest_child + 1;
    case wire::tag::file_transfer:
      return depth_of(of.transfer_object()) + 1;
    default:
      return 0;
  }
}

class encoder {
 public:
  encoder(base::buffer& out, attachments& with, const encode_options& options) noexcept
      : writer_(out), with_(with), options_(options) {}

  std::optional<unsendable> run(const dictionary& root) {
    writer_.header(options_.spoken);
    write(item(const_cast<dictionary*>(&root)), nullptr);
    if (!problem_ && !writer_.ok()) fail(obstacle::too_large, OPENXPC_TYPE_DICTIONARY, nullptr);
    return std::move(problem_);
  }

 private:
  /// Where the walk is: a container, and the place in it.
  struct frame {
    const object* which;
    const frame* outer;
    unsigned depth;
    std::string_view key;
    std::size_t index;
  };

  bool fail(obstacle why, kind what, const frame* at) {
    problem_ = unsendable{why, what, {}};
    spell(at, problem_->path);
    return false;
  }
  static void spell(const frame* at, std::string& path) {
    if (!at) return;
    spell(at->outer, path);
    if (at->which->what() == OPENXPC_TYPE_ARRAY) {
      path += '[' + std::to_string(at->index) + ']';
    } else if (at->which->what() == OPENXPC_TYPE_DICTIONARY) {
      if (!path.empty()) path += '.';
      path += at->key;
    }
  }
  bool fits(std::size_t more) const noexcept {
    return more <= options_.most_bytes && writer_.written_bytes() <= options_.most_bytes - more;
  }

  bool write(const item& which, const frame* at) {
    kind what = which.what();
    if (!fits(0)) return fail(obstacle::too_large, what, at);
    switch (what) {
      case OPENXPC_TYPE_NULL:
        writer_.null();
        return true;
      case OPENXPC_TYPE_BOOL:
        writer_.boolean(which.to_bool());
        return true;
      case OPENXPC_TYPE_INT64:
        writer_.int64(static_cast<std::int64_t>(which.to_bits()));
        return true;
      case OPENXPC_TYPE_UINT64:
        writer_.uint64(which.to_bits());
        return true;
      case OPENXPC_TYPE_DOUBLE:
        writer_.real(std::bit_cast<double>(which.to_bits()));
        return true;
      case OPENXPC_TYPE_DATE:
        writer_.date(static_cast<std::int64_t>(which.to_bits()));
        return true;
      case OPENXPC_TYPE_UUID:
        writer_.uuid(std::span<const std::byte, 16>(which.to_uuid(), 16));
        return true;
      case OPENXPC_TYPE_STRING:
        return write_string(which, at);
      case OPENXPC_TYPE_DATA:
        return write_data(which, at);
      case OPENXPC_TYPE_FD:
      case OPENXPC_TYPE_SHMEM:
      case OPENXPC_TYPE_ENDPOINT:
        return write_file(which, at);
      case OPENXPC_TYPE_DICTIONARY:
      case OPENXPC_TYPE_ARRAY:
      case OPENXPC_TYPE_FILE_TRANSFER:
        return write_container(which, at);
      default:
        return fail(obstacle::not_sendable, what, at);
    }
  }

  bool write_data(const item& which, const frame* at) {
    auto content = which.to_data();
    if (!fits(content.size())) return fail(obstacle::too_large, which.what(), at);
    // Half filled it would carry whatever the memory held before.
    if (!which.encoded() && static_cast<data*>(which.made())->fill())
      return fail(obstacle::not_finished, which.what(), at);
    writer_.data(content);
    return true;
  }

  bool write_string(const item& which, const frame* at) {
    auto text = which.to_string();
    if (!fits(text.size())) return fail(obstacle::too_large, which.what(), at);
    if (!which.encoded() && !static_cast<string*>(which.made())->is_utf8())
      return fail(obstacle::not_utf8, which.what(), at);
    writer_.string(text);
    return true;
  }

  bool write_file(const item& which, const frame* at) {
    if (!options_.descriptors) return fail(obstacle::not_in_files, which.what(), at);
    switch (which.what()) {
      case OPENXPC_TYPE_FD:
        writer_.out_of_line(wire::tag::fd);
        break;
      case OPENXPC_TYPE_ENDPOINT:
        writer_.out_of_line(wire::tag::endpoint);
        break;
      default:
        writer_.shmem(static_cast<descriptor*>(which.as_object())->shmem_bytes());
    }
    with_.push_back(which.to_file());
    return true;
  }

  /// Copies the value as the bytes it came as, if they may stand here.
  bool splice(const source& from, wire::value encoded, unsigned depth) {
    auto files = from.attachments_in(encoded);
    if (from.spoken() != options_.spoken || !fits(encoded.encoded_bytes()) ||
        (!options_.descriptors && !files.empty()) || !depth_fits(encoded, depth))
      return false;
    writer_.splice(encoded.encoded());
    with_.insert(with_.end(), files.begin(), files.end());
    return true;
  }
  static bool depth_fits(wire::value encoded, unsigned depth) {
    // Each level takes at least a container's 12 bytes, so most values need no walk.
    return encoded.encoded_bytes() / 12 <= deepest - depth || depth_of(encoded) <= deepest - depth;
  }

  bool write_container(const item& which, const frame* at) {
    unsigned depth = at ? at->depth : 0;
    if (!which.made() && splice(which.message(), which.encoded(), depth)) return true;
    object* made = which.as_object();
    if (made->what() != OPENXPC_TYPE_FILE_TRANSFER) {
      auto& held = *static_cast<container*>(made);
      if (held.untouched() && splice(*held.message(), held.view(), depth)) return true;
    }
    for (const frame* each = at; each; each = each->outer)
      if (each->which == made) return fail(obstacle::cycle, made->what(), at);
    frame here{made, at, depth + 1, {}, 0};
    if (here.depth > deepest) return fail(obstacle::too_deep, made->what(), at);
    if (auto* in = as<dictionary>(made)) return write_dictionary(*in, here);
    if (auto* in = as<array>(made)) return write_array(*in, here);
    auto& transfer = *static_cast<file_transfer*>(made);
    if (options_.spoken != wire::mode::file)
      return fail(obstacle::not_in_messages, made->what(), at);
    writer_.file_transfer(transfer.id());
    return write(item(transfer.content()), &here);
  }

  bool write_dictionary(const dictionary& in, frame& here) {
    writer_.begin_dictionary();
    bool whole = in.each([&](std::string_view key, const item& value) {
      here.key = key;
      if (!in.keys_are_utf8() && !base::is_utf8(key))
        return fail(obstacle::not_utf8, OPENXPC_TYPE_STRING, &here);
      if (!fits(key.size())) return fail(obstacle::too_large, value.what(), &here);
      writer_.key(key);
      return write(value, &here);
    });
    if (whole) writer_.end();
    return whole;
  }

  bool write_array(const array& in, frame& here) {
    writer_.begin_array();
    bool whole = in.each([&](std::size_t index, const item& value) {
      here.index = index;
      return write(value, &here);
    });
    if (whole) writer_.end();
    return whole;
  }

  wire::writer writer_;
  attachments& with_;
  const encode_options& options_;
  std::optional<unsendable> problem_;
};

}  // namespace

base::bytes encoding_of(const dictionary& root, const encode_options& options) noexcept {
  if (!root.untouched() || root.view().offset() != wire::header_bytes) return {};
  const source& whole = *root.message();
  const bool as_it_is = whole.spoken() == options.spoken &&
                        whole.bytes().size() <= options.most_bytes &&
                        whole.attachments_in(root.view()).empty();
  return as_it_is ? whole.bytes() : base::bytes();
}

std::optional<unsendable> encode(const dictionary& root, base::buffer& out, attachments& with,
                                 const encode_options& options) {
  if (base::bytes whole = encoding_of(root, options); !whole.empty()) {
    out.append(whole);
    return std::nullopt;
  }
  std::size_t size = out.size(), files = with.size();
  auto problem = encoder(out, with, options).run(root);
  if (problem) {
    out.resize(size);
    with.resize(files);
  }
  return problem;
}

std::string unsendable::text() const {
  std::string name = name_of(what);
  std::string said = path.empty() ? "the message" : path;
  switch (why) {
    case obstacle::cycle:
      return said + ": the " + name + " contains itself";
    case obstacle::too_deep:
      return said + ": nested deeper than " + std::to_string(deepest);
    case obstacle::too_large:
      return said + ": the message is larger than the limit";
    case obstacle::not_utf8:
      return said + ": the text is not UTF-8; send it as data";
    case obstacle::not_in_messages:
      return said + ": a file transfer cannot be in a message";
    case obstacle::not_in_files:
      return said + ": the " + name + " needs a descriptor beside the bytes";
    case obstacle::not_finished:
      return said + ": the data was not finished";
    case obstacle::not_sendable:
      break;
  }
  if (what == OPENXPC_TYPE_CONNECTION || what == OPENXPC_TYPE_LISTENER)
    return said + ": a " + name + " cannot be sent; send an endpoint of it";
  return said + ": objects of type " + name + " cannot be sent";
}

}  // namespace openxpc::object
