// What a writer takes for uploaded already, over real databases.
#include "millrace/state/state_writer.h"

#include <gtest/gtest.h>

#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

CheckpointName checkpoint_name(std::uint64_t id) { return {.id = CheckpointId(id), .epoch = 1}; }

class StateWriterTest : public testing::Test {
 protected:
  std::shared_ptr<StateWriter> writer() {
    return std::make_shared<StateWriter>(
        StateEnvironment{
            .stores = stores_.get(), .checkpoints = &checkpoints_, .executor = &executor_},
        "writer");
  }
  void write(StateWriter& writer, std::string_view key) {
    auto rows = std::make_shared<RowBuffer>();
    rows->put(key, "value");
    writer.write(std::move(rows), ++batches_);
  }
  std::vector<StoredFile> checkpoint(StateWriter& writer, std::uint64_t id) {
    std::vector<StoredFile> files;
    writer.checkpoint(checkpoint_name(id), {}, std::nullopt,
                      [&](const Result<KeyedSnapshot>& taken) {
                        ASSERT_TRUE(taken) << taken.error().message();
                        files = taken->files;
                      });
    return files;
  }
  // As the leader does behind a completed checkpoint, of which nothing older is kept.
  void complete(StateWriter& writer, std::uint64_t id, const std::vector<StoredFile>& files) {
    writer.completed(checkpoint_name(id));
    std::set<std::string> kept;
    for (const StoredFile& file : files) kept.insert(file.path);
    ASSERT_TRUE(checkpoints_.remove_unused(checkpoint_name(id), {checkpoint_name(id)}, kept));
  }
  void expect_there(const std::vector<StoredFile>& files) {
    EXPECT_FALSE(files.empty());
    for (const StoredFile& file : files) {
      EXPECT_TRUE(checkpoints_.fetch(file)) << file.name << " is not there any more";
    }
  }

  test::TemporaryDirectory directory_;
  InlineExecutor executor_;
  MemoryCheckpointStore checkpoints_;
  std::unique_ptr<RocksDbStoreFactory> stores_ =
      *RocksDbStoreFactory::open(directory_.path("state"), {});
  std::uint64_t batches_ = 0;
};

TEST_F(StateWriterTest, UploadsWhatTheLastCompletedCheckpointHasNoMoreThanOnce) {
  const auto writer = this->writer();
  write(*writer, "a");
  const auto first = checkpoint(*writer, 1);
  complete(*writer, 1, first);
  const auto second = checkpoint(*writer, 2);
  EXPECT_TRUE(std::ranges::any_of(second, [&](const StoredFile& file) {
    return std::ranges::count(first, file.path, &StoredFile::path) == 1;
  }));
  complete(*writer, 2, second);
  expect_there(second);
}

// A task that has finished has no keyed state in further checkpoints, but in a savepoint.
TEST_F(StateWriterTest, RefersToNothingThatACheckpointWithoutItHasLetGo) {
  const auto writer = this->writer();
  write(*writer, "a");
  complete(*writer, 1, checkpoint(*writer, 1));
  writer->leave_out(checkpoint_name(2));
  complete(*writer, 2, {});
  const auto third = checkpoint(*writer, 3);
  complete(*writer, 3, third);
  expect_there(third);
}

TEST_F(StateWriterTest, GoesOnReferringToTheLastOneWhereThatWithoutItFailed) {
  const auto writer = this->writer();
  write(*writer, "a");
  const auto first = checkpoint(*writer, 1);
  complete(*writer, 1, first);
  writer->leave_out(checkpoint_name(2));
  const auto third = checkpoint(*writer, 3);
  complete(*writer, 3, third);
  expect_there(third);
  EXPECT_TRUE(std::ranges::any_of(third, [&](const StoredFile& file) {
    return std::ranges::count(first, file.path, &StoredFile::path) == 1;
  }));
}

}  // namespace
}  // namespace millrace::detail
