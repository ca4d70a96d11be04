// xpcctl decode: an encoded object to typed JSON.

#include <xpc/plist.hpp>

#include <CLI/CLI.hpp>

#include <sysexits.h>

#include <memory>

#include "files.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace xpcctl {
namespace {

struct options {
  std::string file = "-";
  bool hex = false, native = false, compact = false;
};

xpc::result<xpc::object> decode(const std::string& bytes, bool native) {
  xpc_rich_error_t error = nullptr;
  xpc_object_t root = openxpc_object_decode(
      bytes.data(), bytes.size(), native ? OPENXPC_ENCODING_NATIVE : OPENXPC_ENCODING_FILE, &error);
  if (!root) return xpc::failure::adopt_native(error);
  return xpc::object::adopt_native(root);
}

int run(const options& given) {
  std::string bytes;
  if (int status = read_input(given.file, bytes)) return status;
  if (given.hex && !bytes_of_hex(bytes, bytes)) return EX_DATAERR;
  auto root = decode(bytes, given.native);
  if (!root) return report_input(root.error());
  auto text = xpc::to_typed_json(
      *root, given.compact ? xpc::json_format::compact : xpc::json_format::pretty);
  if (!text) return report_content(text.error());
  return write_output(*text + '\n');
}

}  // namespace

action add_decode(CLI::App& command, const settings&) {
  auto given = std::make_shared<options>();
  command.add_option("FILE", given->file, "The encoded object; - or nothing: standard input");
  command.add_flag("--hex", given->hex, "The input is hexadecimal digits");
  command.add_flag("--native", given->native,
                   "Expect the header of local messages, not that of files");
  command.add_flag("--compact", given->compact, "Print one line");
  return [given] { return run(*given); };
}

}  // namespace xpcctl
