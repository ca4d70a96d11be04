#include "wire/tags.hpp"

namespace openxpc::wire {

std::string_view name(tag type) noexcept {
  switch (type) {
    case tag::null:
      return "null";
    case tag::boolean:
      return "bool";
    case tag::int64:
      return "int64";
    case tag::uint64:
      return "uint64";
    case tag::real:
      return "double";
    case tag::pointer:
      return "pointer";
    case tag::date:
      return "date";
    case tag::data:
      return "data";
    case tag::string:
      return "string";
    case tag::uuid:
      return "uuid";
    case tag::fd:
      return "fd";
    case tag::shmem:
      return "shmem";
    case tag::mach_send:
      return "mach send right";
    case tag::array:
      return "array";
    case tag::dictionary:
      return "dictionary";
    case tag::error:
      return "error";
    case tag::connection:
      return "connection";
    case tag::endpoint:
      return "endpoint";
    case tag::serializer:
      return "serializer";
    case tag::pipe:
      return "pipe";
    case tag::mach_receive:
      return "mach receive right";
    case tag::bundle:
      return "bundle";
    case tag::service:
      return "service";
    case tag::service_instance:
      return "service instance";
    case tag::activity:
      return "activity";
    case tag::file_transfer:
      return "file transfer";
  }
  return "unknown type";
}

}  // namespace openxpc::wire
