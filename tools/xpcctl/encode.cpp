// xpcctl encode: typed JSON to an encoded object.

#include <xpc/plist.hpp>

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "files.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string file = "-";
  bool hex = false, native = false;
};

xpc::result<std::string> encode(const xpc::object& root, bool native) {
  void* bytes = nullptr;
  std::size_t size = 0;
  xpc_rich_error_t error = nullptr;
  openxpc_encoding_t encoding = native ? OPENXPC_ENCODING_NATIVE : OPENXPC_ENCODING_FILE;
  if (!openxpc_object_encode(root.native_handle(), encoding, &bytes, &size, &error))
    return xpc::failure::adopt_native(error);
  std::unique_ptr<char, decltype(&std::free)> owned(static_cast<char*>(bytes), &std::free);
  return std::string(owned.get(), size);
}

int run(const options& given) {
  std::string text;
  if (int status = read_input(given.file, text)) return status;
  auto root = xpc::parse_typed_json(text, name_of_input(given.file));
  if (!root) return report_input(root.error());
  if (root->type() != xpc::type_id::dictionary) {
    std::fprintf(stderr, "%s:1:1: the root must be a dictionary\n",
                 name_of_input(given.file).c_str());
    return EX_DATAERR;
  }
  auto bytes = encode(*root, given.native);
  if (!bytes) return report_content(bytes.error());
  return write_output(given.hex ? hex_of_bytes(*bytes) + '\n' : *bytes);
}

}  // namespace

action add_encode(CLI::App& command, const settings&) {
  auto given = std::make_shared<options>();
  command.add_option("FILE", given->file, "Typed JSON; - or nothing: standard input");
  command.add_flag("--hex", given->hex, "Print hexadecimal digits");
  command.add_flag("--native", given->native,
                   "Write the header of local messages, not that of files");
  return [given] { return run(*given); };
}

}  // namespace xpcctl
