// What only the stores in RocksDB do; state_store_test.cpp has what every store does.
#include "millrace/state/rocksdb/rocksdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "millrace/core/random.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "support/checkpoint_store_fake.h"
#include "support/temporary_directory.h"
#include "support/upload.h"

namespace millrace::detail {
namespace {

using test::CheckpointStoreFake;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

// Keys that begin with a number, and values that do not compress.
Status ingest(StateStore& store, std::uint32_t rows, Random& random, std::uint32_t step = 1) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < rows; i += step) {
    std::string key = std::to_string(10'000'000 + i);
    texts.push_back(std::move(key));
    texts.push_back(std::to_string((std::uint64_t{1} << 63) + (random.next() >> 1)));
  }
  std::vector<StateRow> changes;
  for (std::size_t i = 0; i < texts.size(); i += 2) changes.push_back({texts[i], texts[i + 1]});
  return store.ingest(changes);
}

std::vector<std::string> rows_of(StateStore& store) {
  std::vector<std::string> rows;
  const auto scan = store.scan("", "");
  while (scan->next()) rows.push_back(std::string(scan->key()) + '=' + std::string(scan->value()));
  EXPECT_TRUE(scan->status());
  return rows;
}

CheckpointName checkpoint_name(std::uint64_t id) { return {.id = CheckpointId(id), .epoch = 1}; }

bool becomes_true(const std::function<bool()>& holds) {
  for (int i = 0; i < 10'000 && !holds(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return holds();
}

class RocksDbStoreTest : public testing::Test {
 protected:
  std::unique_ptr<RocksDbStoreFactory> open(const RocksDbSettings& settings = {}) {
    auto opened = RocksDbStoreFactory::open(directory_.path("state"), settings);
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }
  std::vector<StoredFile> checkpoint(StateStore& store, std::uint64_t id,
                                     const std::vector<StoredFile>& base = {}) {
    auto files = test_support::upload(store, {checkpoint_name(id), base, checkpoints_});
    EXPECT_TRUE(files) << files.error().message();
    return *std::move(files);
  }
  // Of the one store there is.
  std::filesystem::path folder() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path("state"))) {
      if (entry.is_directory()) return entry.path();
    }
    return {};
  }
  // Flips bits in the middle of every sorted file of the one store there is.
  void damage_sorted_files() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      if (!is_sorted_file(entry.path().native())) continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
      file << "damage damage damage";
    }
  }

  TemporaryDirectory directory_;
  CheckpointStoreFake checkpoints_;
  Random random_{1};
};

std::vector<StoredFile> sorted_files(const std::vector<StoredFile>& files) {
  std::vector<StoredFile> sorted;
  for (const StoredFile& file : files) {
    if (is_sorted_file(file.name)) sorted.push_back(file);
  }
  return sorted;
}

TEST_F(RocksDbStoreTest, ALaterCheckpointUploadsWhatChanged) {
  const auto factory = open();
  auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 100'000, random_));
  const auto first = checkpoint(**store, 1);
  const std::size_t all = checkpoints_.take_uploaded();
  EXPECT_GT(all, 2'000'000U);
  ASSERT_TRUE(ingest(**store, 100'000, random_, 100));
  const auto second = checkpoint(**store, 2, first);
  EXPECT_LT(checkpoints_.take_uploaded(), all / 20);

  auto restored = factory->restore("sum", second, checkpoints_);
  ASSERT_TRUE(restored);
  EXPECT_EQ(rows_of(**restored), rows_of(**store));
  checkpoint(**restored, 3, second);
  EXPECT_LT(checkpoints_.take_uploaded(), all / 20) << "after a restore";
}

TEST_F(RocksDbStoreTest, WhatIsNotInTheBaseIsUploadedAgain) {
  const auto factory = open();
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 10'000, random_));
  checkpoint(**store, 1);  // never completed
  const std::size_t all = checkpoints_.take_uploaded();
  checkpoint(**store, 2);
  EXPECT_GT(checkpoints_.take_uploaded(), all / 2);
}

TEST_F(RocksDbStoreTest, AHugeIngestBecomesSeveralFiles) {
  const auto factory = open({.file_bytes = 64'000});
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 20'000, random_));
  const auto files = sorted_files(checkpoint(**store, 1));
  EXPECT_GT(files.size(), 5U);
  for (const StoredFile& file : files) EXPECT_LT(file.bytes, 128'000U);
  EXPECT_EQ(rows_of(**store).size(), 20'000U);
}

TEST_F(RocksDbStoreTest, IngestWaitsUntilLevel0IsSmall) {
  const RocksDbSettings settings{.level0_trigger = 2, .level0_bound = 3};
  const auto working = WorkingDirectory::open(directory_.path("state"));
  const RocksDbResources resources = make_resources(settings);
  const auto store = RocksDbStore::open(*(*working)->make_folder("sum"), settings, resources, {});
  ASSERT_TRUE(store);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(ingest(**store, 1'000, random_));
    EXPECT_LE((*store)->files_in_level0(), 3);
  }
  EXPECT_EQ(rows_of(**store).size(), 1'000U);
}

TEST_F(RocksDbStoreTest, FilesWithEachOthersContentAreRefused) {
  const auto factory = open();
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 1'000, random_));
  ASSERT_TRUE(ingest(**store, 1'000, random_));
  const auto files = checkpoint(**store, 1);
  const auto sorted = sorted_files(files);
  ASSERT_EQ(sorted.size(), 2U);
  std::swap(checkpoints_.bytes_of(sorted[0]), checkpoints_.bytes_of(sorted[1]));
  const auto restored = factory->restore("sum", files, checkpoints_);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code(), ErrorCode::kCorruption);
  EXPECT_THAT(restored.error().message(), HasSubstr(sorted[0].name));
}

// Each is whole, and has the other's size: RocksDB knows its files by more than that.
TEST_F(RocksDbStoreTest, FilesWithEachOthersNamesAreRefused) {
  const auto factory = open({.level0_trigger = 100, .level0_bound = 100});
  const auto store = factory->make("sum");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(ingest(**store, 100, random_));
  auto files = checkpoint(**store, 1);
  std::ranges::stable_sort(files, {}, &StoredFile::bytes);
  const auto twin = std::ranges::adjacent_find(files, {}, &StoredFile::bytes);
  ASSERT_NE(twin, files.end());
  std::swap(twin->name, std::next(twin)->name);
  const auto restored = factory->restore("sum", files, checkpoints_);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code(), ErrorCode::kCorruption);
  EXPECT_THAT(restored.error().message(), HasSubstr("unique ID"));
}

TEST_F(RocksDbStoreTest, ACheckpointThatLacksAFileIsRefused) {
  const auto factory = open();
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 1'000, random_));
  const auto files = checkpoint(**store, 1);
  for (const StoredFile& missing : files) {
    if (missing.name.starts_with("OPTIONS")) continue;  // is for people
    std::vector<StoredFile> others = files;
    std::erase(others, missing);
    const auto restored = factory->restore("sum", others, checkpoints_);
    ASSERT_FALSE(restored) << missing.name;
    EXPECT_EQ(restored.error().code(), ErrorCode::kCorruption) << restored.error().message();
    const std::string name = missing.name.substr(0, missing.name.find('.'));  // without ".sst"
    EXPECT_THAT(restored.error().message(), HasSubstr(name));
  }
}

TEST_F(RocksDbStoreTest, AFileNameThatLeadsElsewhereIsRefused) {
  const auto factory = open();
  for (const std::string name : {"../evil", "a/b", "..", ""}) {
    const auto file = checkpoints_.put(checkpoint_name(1), name, "x");
    const auto restored = factory->restore("sum", {{*file}}, checkpoints_);
    ASSERT_FALSE(restored);
    EXPECT_THAT(restored.error().message(), HasSubstr("named without directories"));
  }
}

// Hands out links to its own files.
class LinkingStore final : public CheckpointStoreFake {
 public:
  explicit LinkingStore(const TemporaryDirectory& directory) : directory_(directory) {}
  Status fetch_file(const StoredFile& file, const std::filesystem::path& to) override {
    const std::filesystem::path own = directory_.path(file.name);
    if (!std::filesystem::exists(own)) directory_.file(file.name, bytes_of(file));
    std::filesystem::create_hard_link(own, to);
    return {};
  }
  void expect_unchanged(const std::vector<StoredFile>& files) {
    for (const StoredFile& file : files) {
      EXPECT_EQ(directory_.read(file.name), bytes_of(file)) << file.name;
    }
  }

 private:
  const TemporaryDirectory& directory_;
};

TEST_F(RocksDbStoreTest, FetchedFilesMayBeLinksAndStayAsTheyAre) {
  LinkingStore linking(directory_);
  const auto factory = open({.level0_trigger = 1, .level0_bound = 1});
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 1'000, random_));
  const auto files = test_support::upload(**store, {checkpoint_name(1), {}, linking});
  ASSERT_TRUE(files);
  const auto restored = factory->restore("sum", *files, linking);
  ASSERT_TRUE(restored);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ingest(**restored, 1'000, random_));
  linking.expect_unchanged(sorted_files(*files));
  EXPECT_EQ(sorted_files(*files).size(), 1U);
}

TEST_F(RocksDbStoreTest, DamageOnTheLocalDiskIsFoundWhenItIsRead) {
  const auto factory = open();
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 10'000, random_));
  damage_sorted_files();
  const auto rows = (*store)->scan("", "");
  while (rows->next()) {
  }
  ASSERT_FALSE(rows->status());
  EXPECT_EQ(rows->status().error().code(), ErrorCode::kCorruption);

  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back(std::to_string(10'000'000 + i));
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const Status got = (*store)->get(views, [](std::size_t, std::string_view) {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), ErrorCode::kCorruption);
}

TEST_F(RocksDbStoreTest, ACompactionThatFailsEndsTheWaitForIt) {
  const auto factory = open({.level0_trigger = 1, .level0_bound = 1});
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 10'000, random_));
  damage_sorted_files();
  Status ingested;
  for (int i = 0; i < 10 && ingested; ++i) ingested = ingest(**store, 10'000, random_, 7);
  ASSERT_FALSE(ingested);
  EXPECT_EQ(ingested.error().code(), ErrorCode::kCorruption) << ingested.error().message();
}

// A disk without room for what the database itself writes, which is what it merges.
class FullDisk final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "FullDisk"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    const bool merged = is_sorted_file(name) && name.find("scratch-") == std::string::npos;
    if (merged && full) return rocksdb::IOStatus::NoSpace("the disk is full");
    return target()->NewWritableFile(name, options, file, context);
  }
  std::atomic<bool> full = true;
};

class FullRocksDbStoreTest : public RocksDbStoreTest {
 protected:
  void SetUp() override {
    const RocksDbSettings settings{.level0_trigger = 1, .level0_bound = 1};
    RocksDbResources resources = make_resources(settings);
    disk_ = std::make_shared<FullDisk>(resources.files->GetFileSystem());
    files_ = resources.files;
    resources.files = rocksdb::NewCompositeEnv(disk_);
    working_ = *WorkingDirectory::open(directory_.path("state"));
    auto store = RocksDbStore::open(*working_->make_folder("sum"), settings, resources, {});
    ASSERT_TRUE(store);
    store_ = *std::move(store);
    composite_ = resources.files;
  }
  // Adds the same keys again and again, until that is refused.
  Status ingest_until_refused() {
    Status ingested;
    for (int i = 0; i < 20 && ingested; ++i) {
      before_ = rows_of(*store_);
      ingested = ingest(*store_, 1'000, random_);
    }
    return ingested;
  }

  std::shared_ptr<rocksdb::Env> files_;
  std::shared_ptr<FullDisk> disk_;
  std::shared_ptr<rocksdb::Env> composite_;
  std::unique_ptr<WorkingDirectory> working_;
  std::unique_ptr<RocksDbStore> store_;
  std::vector<std::string> before_;
};

TEST_F(FullRocksDbStoreTest, HasNothingOfABatchThatItRefuses) {
  const Status refused = ingest_until_refused();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kResourceExhausted) << refused.error().message();
  EXPECT_EQ(rows_of(*store_), before_);
}

TEST_F(FullRocksDbStoreTest, GoesOnOnceThereIsRoomAgain) {
  ASSERT_FALSE(ingest_until_refused());
  disk_->full = false;
  while (!ingest(*store_, 1'000, random_)) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    const Status ingested = ingest(*store_, 1'000, random_);
    ASSERT_TRUE(ingested) << ingested.error().message();
  }
  EXPECT_LE(store_->files_in_level0(), 1);
}

TEST_F(RocksDbStoreTest, WithoutItsFolderItTakesNothingMore) {
  const auto factory = open();
  const auto store = factory->make("sum");
  ASSERT_TRUE(ingest(**store, 10, random_));
  std::filesystem::remove_all(folder());
  const Status ingested = ingest(**store, 10, random_);
  ASSERT_FALSE(ingested);
  EXPECT_THAT(ingested.error().message(), HasSubstr(directory_.path("state")));
  EXPECT_FALSE((*store)->begin_upload({checkpoint_name(1), {}, checkpoints_}));
}

TEST_F(RocksDbStoreTest, NothingIsLeftBehind) {
  const auto factory = open();
  {
    const auto store = factory->make("sum");
    ASSERT_TRUE(ingest(**store, 1'000, random_));
    const auto files = checkpoint(**store, 1);
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      EXPECT_FALSE(entry.is_directory()) << entry.path();
    }
    EXPECT_TRUE(factory->restore("sum", files, checkpoints_));
    checkpoints_.lose(files.front());
    EXPECT_FALSE(factory->restore("sum", files, checkpoints_));
  }
  EXPECT_THAT(directory_.names("state"), ElementsAre("lock"));
}

TEST_F(RocksDbStoreTest, TheDirectoryIsOneFactorysAtATime) {
  const auto factory = open();
  EXPECT_FALSE(RocksDbStoreFactory::open(directory_.path("state")));
}

TEST_F(RocksDbStoreTest, KeepsNothingUselessWhereItMergesFiles) {
  const auto factory = open({.level0_trigger = 2, .level0_bound = 2});
  const auto store = *factory->make("a");
  store->forget_useless(
      [] { return [](std::string_view, std::string_view value) { return value == "useless"; }; });
  const std::vector<StateRow> rows{{"a", "useless"}, {"b", "useful"}, {"c", "useless"}};
  ASSERT_TRUE(store->ingest(rows));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(store->ingest(std::vector<StateRow>{{"a", "useful"}, {"c", "useless"}}));
  }
  for (int i = 0; i < 3; ++i) {  // that of before is merged too
    ASSERT_TRUE(store->ingest(std::vector<StateRow>{{"a", "useful"}, {"d", "useful"}}));
  }
  EXPECT_TRUE(becomes_true([&] { return rows_of(*store).size() == 3; }));
  EXPECT_THAT(rows_of(*store), ElementsAre("a=useful", "b=useful", "d=useful"));
}

}  // namespace
}  // namespace millrace::detail
