// Drives the fuzz target with mutations of valid input, the same ones on every run.
#include <gtest/gtest.h>

#include <random>

#include "core/kitchen_sink.h"
#include "millrace/core/codec/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace millrace {
namespace {

std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  for (std::size_t n = 1 + below(4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.erase(at, 1 + below(8));
        break;
      case 3:
        bytes.insert(at, below(8), '\xff');
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

void expect_no_harm(const std::string& valid, int rounds) {
  std::mt19937 random(20'26);
  for (int i = 0; i < rounds; ++i) {
    const std::string bytes = mutated(valid, random);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}

TEST(CodecFuzz, SurvivesMutationsOfEncodedRecords) {
  const std::vector<KitchenSink> sinks = kitchen_sinks(6);
  std::string bytes;
  ASSERT_TRUE(
      detail::encode(type_of<KitchenSink>(), detail::Rows::of(std::span(sinks).subspan(3)), bytes));
  expect_no_harm(bytes, 3'000);
}

TEST(CodecFuzz, SurvivesMutationsOfRecursiveRecords) {
  std::vector<Tree> trees(3);
  trees[0].children.resize(4);
  trees[1].next = std::make_unique<Tree>();
  trees[1].next->children.resize(2);
  std::string bytes;
  ASSERT_TRUE(
      detail::encode(type_of<Tree>(), detail::Rows::of(std::span<const Tree>(trees)), bytes));
  expect_no_harm(bytes, 3'000);
}

TEST(CodecFuzz, SurvivesMutationsOfSchemas) {
  expect_no_harm(to_string(schema_of(type_of<KitchenSink>())), 1'000);
  expect_no_harm(to_string(schema_of(type_of<Tree>())), 1'000);
}

}  // namespace
}  // namespace millrace
