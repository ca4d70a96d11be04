#pragma once

#include "base/buffer.hpp"
#include "object/dictionary.hpp"
#include "wire/limits.hpp"
#include "wire/tags.hpp"
#include "wire/validate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace openxpc::object {

/// Descriptors beside a message, in the order of their tags. Holding them keeps them open, whatever
/// becomes of the objects.
using attachments = std::vector<ref<shared_fd>>;

/// Why a value cannot be sent.
enum class obstacle : std::uint8_t {
  cycle,
  too_deep,
  too_large,
  not_sendable,  // connections, errors ...
  not_utf8,
  not_in_messages,  // a file transfer
  not_in_files,     // a descriptor
  not_finished,     // data that is still being filled
};

/// A value that cannot be sent, and where it stands. Only what the local program built can be one.
struct unsendable {
  obstacle why;
  kind what;         // of the value
  std::string path;  // "rows[3].owner"; empty for the root
  /// "rows[3].owner: a connection cannot be sent; send an endpoint of it".
  std::string text() const;
};

struct encode_options {
  wire::mode spoken = wire::mode::local;
  bool descriptors = true;
  std::uint32_t most_bytes = 128u << 20;
};

/// The whole message as it was filled or received, where that is its encoding and nothing travels
/// beside it; otherwise empty. Borrowed: until the dictionary is changed or freed.
base::bytes encoding_of(const dictionary& root, const encode_options& options = {}) noexcept;

/// Appends the encoded message, header included, to `out`, and its descriptors to `with`. Parts
/// that came in a message and were not changed are spliced in as they are. Later changes of the
/// dictionary do not show (rule 9).
/// @return what stands in the way; then `out` and `with` are as they were.
std::optional<unsendable> encode(const dictionary& root, base::buffer& out, attachments& with,
                                 const encode_options& options = {});

/// A view over a received message. Nothing in it is trusted; the bytes are copied into a block of
/// the view's own.
/// @param files  taken over; untouched when the message is refused, since closing a stranger's
/// descriptor may block.
/// @return null with `fault` set.
ref<dictionary> decode(base::bytes message, std::vector<base::fd>&& files, wire::mode spoken,
                       std::optional<wire::malformed>& fault, const wire::limits& max = {});
/// The same without a copy: the view keeps the whole block.
ref<dictionary> decode(ref<base::block> message, std::vector<base::fd>&& files, wire::mode spoken,
                       std::optional<wire::malformed>& fault, const wire::limits& max = {});

}  // namespace openxpc::object
