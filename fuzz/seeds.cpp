// seeds DATA CORPUS NAME...: writes the encoded objects of vectors.json and hostile.json in DATA as
// files into CORPUS/NAME, as they are and under the native header, and some messages with
// attachments, which those files do not have.
#include "wire/vector_files_test.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

using namespace openxpc;
using namespace openxpc::wire;

namespace {

void save(const std::filesystem::path& file, base::bytes content) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(content.data()),
            static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

base::buffer with_attachments() {
  base::buffer out;
  writer to(out);
  to.header(mode::local);
  to.begin_dictionary();
  to.key("fd");
  to.out_of_line(tag::fd);
  to.key("list");
  to.begin_array();
  to.shmem(4096);
  to.out_of_line(tag::endpoint);
  to.end();
  to.end();
  return out;
}

void save_all(const vectors::json& file, const std::filesystem::path& to) {
  for (const vectors::json& each : file.at("vectors")) {
    vectors::raw message = vectors::from_hex(each.at("hex").get<std::string>());
    // The large bombs would slow the fuzzers down and teach them nothing: their first part is the
    // same.
    if (message.size() > 20000) message.resize(20000);
    auto name = each.at("name").get<std::string>();
    save(to / name, message);
    if (message.size() < header_bytes) continue;
    base::store(message.data(), native_magic);
    save(to / ("native-" + name), message);
  }
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 4) {
    std::fprintf(stderr, "usage: seeds DATA CORPUS NAME...\n");
    return 64;
  }
  std::string data = arguments[1];
  vectors::json valid = vectors::load(data + "/vectors.json");
  vectors::json hostile = vectors::load(data + "/hostile.json");
  for (int i = 3; i < count; ++i) {
    std::filesystem::path to = std::filesystem::path(arguments[2]) / arguments[i];
    std::filesystem::create_directories(to);
    save_all(valid, to);
    save_all(hostile, to);
    save(to / "attachments", with_attachments().view());
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "seeds: %s\n", error.what());
  return 1;
}
