#include "job/located.hpp"

#include <xpc/openxpc/error.h>

namespace openxpc::job {

outcome<located> parse(std::string_view text, const std::string& file) {
  located result;
  xpc_rich_error_t why = nullptr;
  result.object.reset(::openxpc_plist_parse_with_locations(text.data(), text.size(), file.c_str(),
                                                           &result.locations, &why));
  if (result.object) return result;
  trouble wrong{trouble::kind::bad_input, ::openxpc_error_get_message(why)};
  ::xpc_release(why);
  return wrong;
}

}  // namespace openxpc::job
