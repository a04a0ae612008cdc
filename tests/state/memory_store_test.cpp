#include "millrace/state/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/checkpoint_store_fake.h"
#include "support/upload.h"

namespace millrace::detail {
namespace {

using namespace std::literals;
using testing::HasSubstr;

const std::string kTwoRows = "MRROWS01\1\0\0\0a\2\0\0\0xy\2\0\0\0bc\0\0\0\0"s;

std::string refusal_of(std::string_view bytes) {
  test::CheckpointStoreFake checkpoints;
  const auto file = checkpoints.put({.id = CheckpointId(1), .epoch = 1}, "rows", bytes);
  const auto restored = MemoryStateStoreFactory().restore("operator", {{*file}}, checkpoints);
  if (restored) return "";
  EXPECT_EQ(restored.error().code(), ErrorCode::kCorruption);
  return restored.error().message();
}

TEST(MemoryStateStore, ACheckpointHasTheDocumentedBytes) {
  test::CheckpointStoreFake checkpoints;
  MemoryStateStore store({{"a", "xy"}, {"bc", ""}});
  const auto files = test_support::upload(store, {{CheckpointId(1), 1}, {}, checkpoints});
  ASSERT_TRUE(files);
  EXPECT_EQ(checkpoints.bytes_of(files->front()), kTwoRows);
}

TEST(MemoryStateStore, BytesThatAreNoRowsAreRefusedWithTheirPlace) {
  EXPECT_EQ(refusal_of(kTwoRows), "");
  EXPECT_THAT(refusal_of(""), HasSubstr("from byte 0"));
  EXPECT_THAT(refusal_of("MRROWS02"), HasSubstr("from byte 0"));
  for (std::size_t size = 20; size < kTwoRows.size(); ++size) {
    EXPECT_THAT(refusal_of(kTwoRows.substr(0, size)), HasSubstr("from byte 19")) << size;
  }
  EXPECT_THAT(refusal_of(kTwoRows + kTwoRows.substr(8)), HasSubstr("from byte 29"));
  EXPECT_THAT(refusal_of("MRROWS01\xff\xff\xff\xff"), HasSubstr("from byte 8"));
}

}  // namespace
}  // namespace millrace::detail
