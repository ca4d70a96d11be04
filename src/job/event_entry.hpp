#pragma once

#include "job/object.hpp"
#include "job/reader.hpp"

#include <string>

namespace openxpc::job {

/// The streams of events that xpcd itself watches; the others belong to adapters.
enum class event_source : unsigned char {
  adapter,     ///< whoever publishes into the stream
  descriptor,  ///< org.openxpc.descriptor: a FIFO or character device, or a passed descriptor
  path,        ///< org.openxpc.path: something changes at a path
  activity,    ///< com.apple.xpc.activity: no event, see activity.hpp
};
event_source source_of(const std::string& stream);

/// What an entry of a stream is to match, as far as xpcd reads it.
struct event_entry {
  std::string path;  // of descriptor and path; empty: given as a descriptor
};

/// Reads an entry of a stream; what is wrong becomes a finding of `in`.
/// @return whether nothing was.
bool read_event(reader& in, const key_path& path, event_source from, xpc_object_t dictionary,
                event_entry* out);

}  // namespace openxpc::job
