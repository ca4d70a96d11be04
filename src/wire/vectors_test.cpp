// Everything that tests/data/wire/vectors.json says, and what it says can be derived from it.
#include "support/places.hpp"
#include "wire/transcribe.hpp"
#include "wire/validate.hpp"
#include "wire/vector_files_test.hpp"
#include "wire/verdict_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

using namespace openxpc;
using namespace openxpc::wire;
using vectors::json;
using vectors::raw;

namespace {

const json& file() {
  static const json loaded =
      vectors::load(std::string(xpc_testing::data_folder) + "/wire/vectors.json");
  return loaded;
}

/// A copy in memory of exactly its size, so that ASan sees a read behind it.
std::optional<malformed> check(const raw& message, mode spoken = mode::file) {
  auto exact = std::make_unique<std::byte[]>(message.size());
  std::copy(message.begin(), message.end(), exact.get());
  return validate({exact.get(), message.size()}, spoken, 0);
}

/// Offsets of the lengths of all arrays and dictionaries.
void container_lengths(const value& at, std::vector<std::uint32_t>& out) {
  if (at.type() == tag::file_transfer) return container_lengths(at.transfer_object(), out);
  if (at.type() == tag::array) {
    out.push_back(at.offset() + 4);
    for (value each : at.elements()) container_lengths(each, out);
  } else if (at.type() == tag::dictionary) {
    out.push_back(at.offset() + 4);
    for (const entry& each : at.entries()) container_lengths(each.content, out);
  }
}

template <class F>
void for_each_vector(F check_one) {
  ASSERT_EQ(file().at("vectors").size(), 109u);
  for (const json& each : file().at("vectors")) {
    SCOPED_TRACE(each.at("name").get<std::string>());
    check_one(each, vectors::from_hex(each.at("hex").get<std::string>()));
  }
}

}  // namespace

TEST(WireVectors, DecodeToTheValuesTheyName) {
  for_each_vector([](const json& vector, const raw& message) {
    auto problem = check(message);
    ASSERT_FALSE(problem) << verdict(problem);
    EXPECT_EQ(vectors::read(root(message)), vectors::normal(vector.at("value")));
  });
}

TEST(WireVectors, AreWhatTheWriterWritesForTheirValues) {
  for_each_vector([](const json& vector, const raw& message) {
    EXPECT_EQ(vectors::to_hex(vectors::encode(vector.at("value"), mode::file)),
              vector.at("hex").get<std::string>());
    if (vector.contains("object_hex")) {
      base::buffer out;
      writer to(out);
      vectors::write(to, vector.at("value").at("value").at(0).at(1));
      EXPECT_EQ(vectors::to_hex(out.view()), vector.at("object_hex").get<std::string>());
      EXPECT_EQ(vectors::to_hex(root(message).find("v").encoded()),
                vector.at("object_hex").get<std::string>());
    }
  });
}

TEST(WireVectors, PassInLocalModeUnderTheNativeHeaderUnlessTheyTransferFiles) {
  for_each_vector([](const json& vector, const raw& portable) {
    raw native = vectors::encode(vector.at("value"), mode::local);
    EXPECT_TRUE(std::equal(portable.begin() + 8, portable.end(), native.begin() + 8, native.end()));
    auto problem = check(native, mode::local);
    if (vector.at("group") == "portable") {
      EXPECT_FALSE(problem) << verdict(problem);
    } else {
      EXPECT_EQ(fault_of(problem), fault::type_in_files_only);
    }
    ASSERT_TRUE(check(native, mode::file));
    EXPECT_EQ(fault_of(check(native, mode::file)), fault::not_portable);
    EXPECT_EQ(fault_of(check(portable, mode::local)), fault::not_native);
  });
}

TEST(WireVectors, EveryProperPrefixIsRefused) {
  for_each_vector([](const json&, const raw& message) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      auto problem = check(raw(message.begin(), message.begin() + static_cast<long>(size)));
      ASSERT_TRUE(problem) << "cut to " << size << " bytes";
      EXPECT_LE(problem.value_or(malformed{fault::header_cut, UINT32_MAX}).offset, size);
    }
  });
}

TEST(WireVectors, AppendedBytesAreRefused) {
  for_each_vector([](const json&, const raw& message) {
    for (std::size_t more : {1, 2, 3, 4, 8, 20, 64})
      for (std::byte with : {std::byte{0}, std::byte{0xff}}) {
        raw longer = message;
        longer.insert(longer.end(), more, with);
        auto problem = check(longer);
        EXPECT_EQ(problem,
                  (malformed{fault::trailing_bytes, static_cast<std::uint32_t>(message.size())}));
      }
  });
}

TEST(WireVectors, AnotherLengthOfAnyContainerIsRefused) {
  for_each_vector([](const json&, const raw& message) {
    std::vector<std::uint32_t> lengths;
    container_lengths(root(message), lengths);
    for (std::uint32_t at : lengths)
      for (std::uint32_t change : {-4, -3, -2, -1, 1, 2, 3, 4}) {
        raw changed = message;
        base::store(changed.data() + at, base::load<std::uint32_t>(message.data() + at) + change);
        EXPECT_TRUE(check(changed)) << "length at " << at << " plus " << static_cast<int>(change);
      }
  });
}

TEST(WireVectors, AnotherCountOfAnyContainerIsRefused) {
  for_each_vector([](const json&, const raw& message) {
    std::vector<std::uint32_t> lengths;
    container_lengths(root(message), lengths);
    for (std::uint32_t at : lengths)
      for (std::uint32_t change : {-1, 1, 0x10000000, 0x20000000, 0x40000000, -0x7fffffff}) {
        raw changed = message;
        base::store(changed.data() + at + 4,
                    base::load<std::uint32_t>(message.data() + at + 4) + change);
        EXPECT_TRUE(check(changed)) << "count at " << at + 4;
      }
  });
}

TEST(WireVectors, T40_ChangedBytesAreRefusedOrEncodeBackToThemselves) {
  for_each_vector([](const json&, const raw& message) {
    raw changed = message;
    for (std::size_t at = 0; at < std::min<std::size_t>(message.size(), 1200); ++at) {
      for (unsigned flip : {0x01, 0x04, 0x10, 0x80, 0xff}) {
        changed[at] = message[at] ^ static_cast<std::byte>(flip);
        if (check(changed)) continue;
        base::buffer out;
        writer to(out);
        to.header(mode::file);
        transcribe(root(changed), to);
        ASSERT_TRUE(std::ranges::equal(out.view(), changed)) << "byte " << at;
      }
      changed[at] = message[at];
    }
  });
}
