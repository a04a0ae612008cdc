#include "millrace/testing/captured.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/testing/comparison.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CapturingSinkTest : public testing::Test {
 protected:
  void write(CapturingSink& sink, std::int64_t value) {
    const BatchPtr batch = batch_of<std::int64_t>({value});
    Cursor cursor{.batch = &*batch};
    ASSERT_TRUE(sink.process(0, cursor, outputs_));
    EXPECT_TRUE(cursor.done());
  }
  Lines shown() const { return detail::lines_of(captured_->shown(), type_of<std::int64_t>()); }

  std::shared_ptr<Captured> captured_ = std::make_shared<Captured>();
  Outputs outputs_{{}, {}};
};

TEST_F(CapturingSinkTest, ShowsRecordsOnceTheirCheckpointIsComplete) {
  CapturingSink sink(captured_);
  write(sink, 1);
  ASSERT_TRUE(sink.prepare(CheckpointId(1)));
  write(sink, 2);
  ASSERT_TRUE(sink.prepare(CheckpointId(2)));
  write(sink, 3);
  EXPECT_THAT(shown(), IsEmpty());
  ASSERT_TRUE(sink.commit(CheckpointId(1)));
  ASSERT_TRUE(sink.commit(CheckpointId(1)));
  EXPECT_THAT(shown(), ElementsAre("1"));
  ASSERT_TRUE(sink.commit(CheckpointId(2)));
  EXPECT_THAT(shown(), ElementsAre("1", "2"));
}

TEST_F(CapturingSinkTest, NeverShowsWhatAFailureLeftBehind) {
  CapturingSink failed(captured_);
  write(failed, 1);
  ASSERT_TRUE(failed.prepare(CheckpointId(1)));
  CapturingSink next(captured_);
  ASSERT_TRUE(next.prepare(CheckpointId(1)));
  write(next, 2);
  ASSERT_TRUE(next.prepare(CheckpointId(2)));
  ASSERT_TRUE(next.commit(CheckpointId(2)));
  EXPECT_THAT(shown(), ElementsAre("2"));
}

TEST(Comparison, SaysWhatIsMissingAndWhatIsNotExpected) {
  EXPECT_EQ(difference({"a", "b", "b"}, {"b", "a", "b"}, false), "");
  EXPECT_EQ(difference({"a", "b"}, {"b", "a"}, true), "\n  in another order: b stands where a did");
  EXPECT_EQ(difference({"a", "b"}, {"b", "b", "c"}, true),
            "\n  missing: a\n  unexpected: b\n  unexpected: c");
  EXPECT_EQ(difference(Lines(7, "a"), {}, true),
            "\n  missing: a\n  missing: a\n  missing: a\n  missing: a\n  missing: a"
            "\n  missing: ... and 2 more");
}

}  // namespace
}  // namespace millrace::detail
