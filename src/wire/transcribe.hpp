#pragma once

// For tests and fuzzers: reads every part of a value and writes it anew, so that equal bytes show
// that cursor and writer agree.

#include "wire/cursor.hpp"
#include "wire/writer.hpp"

namespace openxpc::wire {

inline void transcribe(const value& from, writer& to) {
  switch (from.type()) {
    case tag::null:
      return to.null();
    case tag::boolean:
      return to.boolean(from.to_bool());
    case tag::int64:
      return to.int64(from.to_int64());
    case tag::uint64:
      return to.uint64(from.to_uint64());
    case tag::real:
      return to.real(from.to_double());
    case tag::date:
      return to.date(from.to_date());
    case tag::data:
      return to.data(from.data());
    case tag::string:
      return to.string(from.string());
    case tag::uuid:
      return to.uuid(from.uuid());
    case tag::shmem:
      return to.shmem(from.shmem_bytes());
    case tag::array:
      to.begin_array();
      for (value each : from.elements()) transcribe(each, to);
      return to.end();
    case tag::dictionary:
      to.begin_dictionary();
      for (const entry& each : from.entries()) {
        to.key(each.key);
        transcribe(each.content, to);
      }
      return to.end();
    case tag::file_transfer:
      to.file_transfer(from.transfer_id());
      return transcribe(from.transfer_object(), to);
    default:
      return to.out_of_line(from.type());
  }
}

}  // namespace openxpc::wire
