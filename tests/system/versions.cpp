#include "system/versions.hpp"

#include "support/places.hpp"

#include <filesystem>
#include <fstream>

namespace system_test {

void install_version(const std::string& path, int version, const std::string& behaviour) {
  const std::string fresh = path + ".new";
  std::filesystem::copy_file(xpc_testing::upgrade_service_program, fresh,
                             std::filesystem::copy_options::overwrite_existing);
  // Room for the longest text that the service looks back for.
  std::ofstream(fresh, std::ios::app)
      << std::string(128, '\n') << '@' << version << ' ' << behaviour;
  std::filesystem::rename(fresh, path);
}

answer upgrade(const manager& xpcd, const std::string& label, bool force) {
  object_ref order = dictionary();
  set(order, "op", "upgrade");
  set(order, "label", label);
  ::xpc_dictionary_set_bool(order.get(), "force", force);
  return xpcd.ask(order);
}

}  // namespace system_test
