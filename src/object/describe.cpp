#include "object/describe.hpp"

#include "base/utf8.hpp"
#include "object/array.hpp"
#include "object/dictionary.hpp"
#include "object/scalar.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <bit>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace openxpc::object {
namespace {

constexpr unsigned deepest = 64;
constexpr std::size_t data_bytes_shown = 24;

void put_hex(std::string& out, base::bytes content) {
  static constexpr char digits[] = "0123456789abcdef";
  for (std::byte each : content) {
    out += digits[std::to_integer<unsigned>(each) >> 4];
    out += digits[std::to_integer<unsigned>(each) & 15];
  }
}

std::string date_text(std::int64_t nanoseconds) {
  std::int64_t seconds = nanoseconds / 1'000'000'000, rest = nanoseconds % 1'000'000'000;
  if (rest < 0) rest += 1'000'000'000, --seconds;
  auto when = static_cast<std::time_t>(seconds);
  std::tm utc{};
  ::gmtime_r(&when, &utc);
  char out[64];
  std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, rest);
  return out;
}

std::string double_text(double value) {
  if (std::isnan(value)) return "nan";
  char out[64];
  auto end = std::to_chars(out, out + sizeof out, value).ptr;
  return {out, end};
}

const char* file_type(mode_t mode) noexcept {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISCHR(mode)) return "character device";
  if (S_ISBLK(mode)) return "block device";
  if (S_ISFIFO(mode)) return "pipe";
  if (S_ISSOCK(mode)) return "socket";
  return "other";
}

}  // namespace

describer& describer::text(std::string_view more) {
  if (full())
    cut_ = true;
  else
    out_.append(more);
  return *this;
}

describer& describer::number(std::uint64_t value) { return text(std::to_string(value)); }

describer& describer::quoted(std::string_view content) {
  out_ += '"';
  while (!content.empty() && !full()) {
    auto byte = static_cast<unsigned char>(content.front());
    std::size_t good = base::utf8_prefix(content.substr(0, 4));
    if (byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\' && good) {
      std::size_t width = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      // The C1 controls, U+0080 to U+009F, move cursors too.
      bool control = width == 2 && byte == 0xc2 && static_cast<unsigned char>(content[1]) < 0xa0;
      if (!control && good >= width) {
        out_.append(content.substr(0, width));
        content.remove_prefix(width);
        continue;
      }
    }
    char escaped[5];
    if (byte == '"' || byte == '\\')
      std::snprintf(escaped, sizeof escaped, "\\%c", byte);
    else if (byte == '\n')
      std::snprintf(escaped, sizeof escaped, "\\n");
    else
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    out_ += escaped;
    content.remove_prefix(1);
  }
  if (!content.empty()) cut_ = true;
  out_ += '"';
  return *this;
}

void describer::scalar_value(kind what, std::uint64_t bits) {
  text(": ");
  switch (what) {
    case OPENXPC_TYPE_INT64:
      text(std::to_string(static_cast<std::int64_t>(bits)));
      break;
    case OPENXPC_TYPE_UINT64:
      number(bits);
      break;
    case OPENXPC_TYPE_DATE:
      text(date_text(static_cast<std::int64_t>(bits)));
      break;
    default:
      text(double_text(std::bit_cast<double>(bits)));
  }
}

void describer::string_value(std::string_view content) {
  text(" { length = ").number(content.size()).text(", contents = ").quoted(content).text(" }");
}

void describer::data_value(base::bytes content) {
  text(": { length = ").number(content.size()).text(" bytes, contents = 0x");
  if (!full()) put_hex(out_, content.first(std::min(content.size(), data_bytes_shown)));
  text(content.size() > data_bytes_shown ? "... }" : " }");
}

void describer::uuid_value(const std::byte* content) {
  std::string hex;
  put_hex(hex, {content, 16});
  for (std::size_t at : {20u, 16u, 12u, 8u}) hex.insert(at, 1, '-');
  text(": ").text(hex);
}

void describer::file(int borrowed_fd) {
  text(" { fd = ").text(std::to_string(borrowed_fd));
  struct stat seen{};
  if (::fstat(borrowed_fd, &seen) == 0)
    text(", type = ").text(file_type(seen.st_mode)).text(", inode = ").number(seen.st_ino);
  text(" }");
}

void describer::shared_memory(std::uint64_t bytes, int borrowed_fd) {
  text(" { length = ").number(bytes).text(" bytes, fd = ").text(std::to_string(borrowed_fd));
  text(" }");
}

bool describer::is_inside(const object* which) const noexcept {
  for (const level* each = inside_; each; each = each->outer)
    if (each->which == which) return true;
  return false;
}

void describer::entry(std::string_view key, const item& content) {
  ++depth_;
  for (unsigned i = 0; i < depth_; ++i) text("\t");
  quoted(key).text(" => ").value(content);
  --depth_;
  text("\n");
}

void describer::element(std::size_t index, const item& content) {
  ++depth_;
  for (unsigned i = 0; i < depth_; ++i) text("\t");
  number(index).text(": ").value(content);
  --depth_;
  text("\n");
}

void describer::close() {
  for (unsigned i = 0; i < depth_; ++i) text("\t");
  text("}");
}

describer& describer::value(const item& which) {
  if (!which) return text("(null)");
  kind what = which.what();
  char address[40];
  const void* where =
      which.made() ? static_cast<const void*>(which.made()) : which.encoded().encoded().data();
  std::snprintf(address, sizeof address, ": %p>", where);
  text("<").text(name_of(what)).text(address);
  bool contains = what == OPENXPC_TYPE_ARRAY || what == OPENXPC_TYPE_DICTIONARY;
  if (!which.made() && !contains && what != OPENXPC_TYPE_FILE_TRANSFER &&
      what != OPENXPC_TYPE_ENDPOINT) {
    switch (what) {
      case OPENXPC_TYPE_NULL:
        return *this;
      case OPENXPC_TYPE_BOOL:
        return text(which.to_bool() ? ": true" : ": false");
      case OPENXPC_TYPE_STRING:
        string_value(which.to_string());
        return *this;
      case OPENXPC_TYPE_DATA:
        data_value(which.to_data());
        return *this;
      case OPENXPC_TYPE_UUID:
        uuid_value(which.to_uuid());
        return *this;
      case OPENXPC_TYPE_FD:
        file(which.to_file()->get());
        return *this;
      case OPENXPC_TYPE_SHMEM:
        shared_memory(which.encoded().shmem_bytes(), which.to_file()->get());
        return *this;
      default:
        scalar_value(what, which.to_bits());
        return *this;
    }
  }
  object* made = which.as_object();
  if (is_inside(made)) return text(" { contains itself }");
  level here{made, inside_, inside_ ? inside_->nesting + 1 : 1};
  if (here.nesting > deepest) return text(" { nested too deeply to show }");
  inside_ = &here;
  made->describe(*this);
  inside_ = here.outer;
  return *this;
}

void dictionary::describe(describer& out) const {
  out.text(" { count = ").number(count()).text(", transaction: 0, voucher = 0x0, contents =\n");
  each([&](std::string_view key, const item& content) {
    out.entry(key, content);
    return out.has_room();
  });
  out.close();
}

void array::describe(describer& out) const {
  out.text(" { count = ").number(count()).text(", contents =\n");
  each([&](std::size_t index, const item& content) {
    out.element(index, content);
    return out.has_room();
  });
  out.close();
}

void scalar::describe(describer& out) const { out.scalar_value(what(), bits_); }
void uuid::describe(describer& out) const { out.uuid_value(bytes()); }

const std::string& describer::done() {
  if (cut_) out_ += " ... (cut)";
  return out_;
}

std::string describe(const object& which) {
  describer out;
  out.value(&which);
  return out.done();
}

}  // namespace openxpc::object

void _xpc_bool_s::describe(openxpc::object::describer& out) const {
  out.text(value ? ": true" : ": false");
}
