#pragma once

// For tests and fuzzers: the files in tests/data/wire, and values in the typed JSON that
// vectors.json defines at its top.

#include "base/buffer.hpp"
#include "base/bytes.hpp"
#include "wire/cursor.hpp"
#include "wire/writer.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace openxpc::wire::vectors {

using nlohmann::json;
using raw = std::vector<std::byte>;

inline json load(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  return json::parse(in);
}

inline raw from_hex(const std::string& hex) {
  raw out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return out;
}

inline std::string to_hex(base::bytes data) {
  std::string out;
  for (std::byte each : data) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(each) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(each) & 15];
  }
  return out;
}

inline raw uuid_bytes(const std::string& text) {
  std::string digits;
  for (char each : text)
    if (each != '-') digits += each;
  return from_hex(digits);
}

/// Writes a value from its typed JSON.
inline void write(writer& out, const json& node) {
  const std::string& type = node.at("type").get_ref<const std::string&>();
  auto text = [&] { return node.at("value").get<std::string>(); };
  if (type == "null") return out.null();
  if (type == "bool") return out.boolean(node.at("value").get<bool>());
  if (type == "int64") return out.int64(std::stoll(text()));
  if (type == "uint64") return out.uint64(std::stoull(text()));
  if (type == "double") {
    std::uint64_t bits = std::stoull(node.at("bits").get<std::string>(), nullptr, 16);
    return out.real(base::load<double>(reinterpret_cast<const std::byte*>(&bits)));
  }
  if (type == "date") return out.date(std::stoll(text()));
  if (type == "data") return out.data(from_hex(text()));
  if (type == "string") return out.string(text());
  if (type == "uuid") {
    raw bytes = uuid_bytes(text());
    return out.uuid(std::span<const std::byte, 16>(bytes.data(), 16));
  }
  if (type == "array") {
    out.begin_array();
    for (const json& each : node.at("value")) write(out, each);
    return out.end();
  }
  if (type == "dictionary") {
    out.begin_dictionary();
    for (const json& each : node.at("value")) {
      out.key(each.at(0).get<std::string>());
      write(out, each.at(1));
    }
    return out.end();
  }
  if (type == "file_transfer") {
    out.file_transfer(std::stoull(node.at("value").at("id").get<std::string>()));
    return write(out, node.at("value").at("object"));
  }
  throw std::runtime_error("unknown type in vectors: " + type);
}

inline raw encode(const json& node, mode spoken) {
  base::buffer out;
  writer to(out);
  to.header(spoken);
  write(to, node);
  return raw(out.data(), out.data() + out.size());
}

/// The typed JSON of a value (doubles by their bits, without the readable form).
inline json read(const value& from) {
  switch (from.type()) {
    case tag::null:
      return {{"type", "null"}};
    case tag::boolean:
      return {{"type", "bool"}, {"value", from.to_bool()}};
    case tag::int64:
      return {{"type", "int64"}, {"value", std::to_string(from.to_int64())}};
    case tag::uint64:
      return {{"type", "uint64"}, {"value", std::to_string(from.to_uint64())}};
    case tag::real: {
      double number = from.to_double();
      auto bits = base::load<std::uint64_t>(reinterpret_cast<const std::byte*>(&number));
      return {{"type", "double"}, {"bits", std::to_string(bits)}};
    }
    case tag::date:
      return {{"type", "date"}, {"value", std::to_string(from.to_date())}};
    case tag::data:
      return {{"type", "data"}, {"value", to_hex(from.data())}};
    case tag::string:
      return {{"type", "string"}, {"value", from.string()}};
    case tag::uuid: {
      std::string text = to_hex(from.uuid());
      for (std::size_t dash : {8, 13, 18, 23}) text.insert(dash, "-");
      return {{"type", "uuid"}, {"value", text}};
    }
    case tag::array: {
      json list = json::array();
      for (value each : from.elements()) list.push_back(read(each));
      return {{"type", "array"}, {"value", list}};
    }
    case tag::dictionary: {
      json list = json::array();
      for (const entry& each : from.entries())
        list.push_back(json::array({each.key, read(each.content)}));
      return {{"type", "dictionary"}, {"value", list}};
    }
    case tag::file_transfer:
      return {
          {"type", "file_transfer"},
          {"value",
           {{"id", std::to_string(from.transfer_id())}, {"object", read(from.transfer_object())}}}};
    default:
      return {{"type", name(from.type())}};
  }
}

/// The same with doubles in the form of read(): what a vector's value must come to.
inline json normal(json node) {
  if (node.is_array())
    for (json& each : node) each = normal(each);
  if (!node.is_object()) return node;
  if (node.contains("bits")) {
    node.erase("value");
    node["bits"] = std::to_string(std::stoull(node["bits"].get<std::string>(), nullptr, 16));
  }
  for (auto& each : node.items()) each.value() = normal(each.value());
  return node;
}

}  // namespace openxpc::wire::vectors
