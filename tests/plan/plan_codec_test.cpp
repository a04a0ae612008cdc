#include "millrace/plan/plan_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "plan/sample_plans.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace millrace::detail {
namespace {

// No member has its default value.
LogicalPlan full_plan() {
  PlanBuilder builder = fraud();
  builder.set_mode(Mode::kStreaming);
  builder.set_max_parallelism(64);
  builder.set_chaining(false);
  OperatorSpec& spec = builder.at(OperatorIndex(1));
  spec.blocking = true;
  spec.parallelism = 4;
  spec.max_parallelism = 32;
  spec.chaining = Chaining::kNever;
  spec.slot_sharing_group = "heavy";
  LogicalPlan plan = *builder.build();
  plan.edges[0].chosen = true;
  plan.edges[0].read_first = true;
  return plan;
}

std::string to_hex_text(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += to_hex(byte).substr(14);
  return text;
}

constexpr std::string_view kGolden =
    "000000002f0000000000000001000100030000000000000000000000020003000200010001000000"
    "0000000000000000090000002a000000090000008700000085000000270000006c696e6500000000"
    "0800000003000500d31d5547da3052df04000000000000000000000000000000310000004a000000"
    "350000003a000000350000000a000000350000000a0000003500000017000000f7378648a4e97af6"
    "08000000000000000000000001000000390000003a000000390000002a000000390000000a000000"
    "390000000a0000003900000007000000736f757263652d310000000000000000736f757263650000"
    "000000000000000000000000000000000400000000000200050000000a0000000500000042000000"
    "00000000000000005061796d656e740073696e6b2d31000073696e6b000000000000000000000000"
    "00000000000000000000000000000200040000000300010000000000000000000100000000000000"
    "0000000000000000010000000a0000000000000000000000";

TEST(PlanCodec, RestoresALogicalPlan) {
  EXPECT_EQ(*decode_logical_plan(encode(full_plan())), full_plan());
  EXPECT_EQ(*decode_logical_plan(encode(LogicalPlan{})), LogicalPlan{});
}

TEST(PlanCodec, RestoresAnExecutionPlan) {
  const ExecutionPlan plan = *make_execution_plan(full_plan());
  EXPECT_EQ(*decode_execution_plan(encode(plan)), plan);
}

TEST(PlanCodec, RestoresTextWithAnyBytes) {
  LogicalPlan plan = full_plan();
  plan.operators[0].outputs[0].schema = std::string("a\0b\xff", 4);
  EXPECT_EQ(*decode_logical_plan(encode(plan)), plan);
}

// A change of these bytes is a change of the format: raise kPlanFormat, or only
// add at the end.
TEST(PlanCodec, WritesTheSameBytesAsEver) {
  EXPECT_EQ(to_hex_text(encode(*line({}).build())), kGolden);
}

TEST(PlanCodec, ReadsBytesThatAreNotAligned) {
  const std::string shifted = "x" + encode(full_plan());
  EXPECT_EQ(*decode_logical_plan(std::string_view(shifted).substr(1)), full_plan());
}

TEST(PlanCodec, RefusesBytesThatAreCutOffOrGoOn) {
  const std::string bytes = encode(full_plan());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto plan = decode_logical_plan(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(plan) << size;
    EXPECT_EQ(plan.error().code(), ErrorCode::kCorruption) << size;
  }
  EXPECT_EQ(decode_logical_plan(bytes + "12345678").error().message(), "bytes follow the plan");
}

TEST(PlanCodec, RefusesBytesOfTheOtherKind) {
  const ExecutionPlan plan = *make_execution_plan(full_plan());
  EXPECT_EQ(decode_logical_plan(encode(plan)).error().message(), "the plan is of the other kind");
  EXPECT_EQ(decode_execution_plan(encode(full_plan())).error().code(), ErrorCode::kCorruption);
}

// The version is the first field of the root, behind the segment table and the
// root's pointer.
constexpr std::size_t kVersionAt = 16;

TEST(PlanCodec, RefusesAnotherVersion) {
  std::string bytes = encode(*line({}).build());
  ASSERT_EQ(bytes[kVersionAt], kPlanFormat);
  bytes[kVersionAt] = kPlanFormat + 1;
  const Error newer = decode_logical_plan(bytes).error();
  EXPECT_EQ(newer.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(newer.message(),
            "the plan has format version 4, this version reads 3: use the version that made it");
  bytes[kVersionAt] = 1;
  EXPECT_EQ(decode_logical_plan(bytes).error().code(), ErrorCode::kUnsupported);
  bytes[kVersionAt] = 0;
  EXPECT_EQ(decode_logical_plan(bytes).error().code(), ErrorCode::kCorruption);
}

TEST(PlanCodec, RefusesAnEnumeratorThatItDoesNotKnow) {
  LogicalPlan plan = full_plan();
  plan.edges[0].exchange = static_cast<Exchange>(8);
  EXPECT_EQ(decode_logical_plan(encode(plan)).error().code(), ErrorCode::kUnsupported);
}

TEST(PlanCodec, RefusesAPositionOfNoOperator) {
  LogicalPlan logical = full_plan();
  logical.edges[0].to = OperatorIndex(5);
  const Error error = decode_logical_plan(encode(logical)).error();
  EXPECT_EQ(error.code(), ErrorCode::kCorruption);
  EXPECT_EQ(error.message(), "it refers to operator 5, but has 5 operators, counted from 0");
  ExecutionPlan plan = *make_execution_plan(full_plan());
  plan.tasks[0].operators[0] = OperatorIndex(5);
  EXPECT_EQ(decode_execution_plan(encode(plan)).error().code(), ErrorCode::kCorruption);
}

TEST(PlanCodec, RefusesAnExecutionPlanThatDoesNotFitTogether) {
  ExecutionPlan plan = *make_execution_plan(full_plan());
  plan.tasks.pop_back();
  EXPECT_EQ(decode_execution_plan(encode(plan)).error().code(), ErrorCode::kCorruption);
}

std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    char& byte = bytes[below(bytes.size())];
    switch (below(3)) {
      case 0:
        byte = static_cast<char>(below(256));
        break;
      case 1:
        byte = static_cast<char>(byte ^ (1 << below(8)));
        break;
      default:
        byte = static_cast<char>(byte + (below(2) == 0 ? 1 : -1));
    }
  }
  if (below(16) == 0) bytes.resize(8 * below(bytes.size() / 8));
  return bytes;
}

TEST(PlanCodec, SurvivesMutatedBytes) {
  const std::string seeds[] = {encode(full_plan()), encode(*make_execution_plan(full_plan())),
                               encode(*line({"map"}).build()),
                               encode(*make_execution_plan(*fraud().build()))};
  std::mt19937 random(20'240'601);
  for (int round = 0; round < 8'000; ++round) {
    const std::string bytes = mutated(seeds[round % 4], random);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}

}  // namespace
}  // namespace millrace::detail
