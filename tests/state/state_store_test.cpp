// What every StateStore does, tried on each of them.
#include "millrace/state/state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "millrace/core/random.h"
#include "millrace/core/text.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "support/checkpoint_store_fake.h"
#include "support/temporary_directory.h"
#include "support/upload.h"

namespace millrace::detail {
namespace {

using test::CheckpointStoreFake;
using test::TemporaryDirectory;
using testing::HasSubstr;
using Rows = std::map<std::string, std::string>;
using Changes = std::map<std::string, std::optional<std::string>>;

enum class Kind { kMemory, kRocksDb };

CheckpointName checkpoint_name(std::uint64_t id) { return {.id = CheckpointId(id), .epoch = 1}; }

std::string key_of(int number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

Status ingest(StateStore& store, const Changes& changes) {
  std::vector<StateRow> rows;
  for (const auto& [key, value] : changes) rows.push_back({key, value});
  return store.ingest(rows);
}

void must_ingest(StateStore& store, const Changes& changes) {
  const Status ingested = ingest(store, changes);
  ASSERT_TRUE(ingested) << ingested.error().message();
}

Rows read(StateScan& scan) {
  Rows rows;
  while (scan.next()) rows.emplace(scan.key(), scan.value());
  EXPECT_TRUE(scan.status());
  return rows;
}

Rows scan(StateStore& store, std::string_view first = {}, std::string_view end = {}) {
  return read(*store.scan(first, end));
}

Rows get(StateStore& store, const std::vector<std::string>& keys) {
  Rows rows;
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  EXPECT_TRUE(store.get(
      views, [&](std::size_t i, std::string_view value) { rows.emplace(keys.at(i), value); }));
  return rows;
}

Changes numbered(int first, int end, const std::string& value) {
  Changes changes;
  for (int i = first; i < end; ++i) changes.emplace(key_of(i), value);
  return changes;
}

// With random bytes, so that nothing compresses away what the sizes of files are to tell.
Changes random_rows(Random& random, int count, double part) {
  Changes changes;
  for (int i = 0; i < count; ++i) {
    if (!random.chance(part)) continue;
    std::string value(16, '\0');
    for (char& c : value) c = static_cast<char>(random.next());
    changes.emplace(key_of(i), value);
  }
  return changes;
}

class StateStoreTest : public testing::TestWithParam<Kind> {
 protected:
  StateStoreTest() {
    if (GetParam() == Kind::kMemory) {
      factory_ = std::make_unique<MemoryStateStoreFactory>();
      return;
    }
    auto opened = RocksDbStoreFactory::open(directory_.path("state"));
    check(opened.has_value(), "the test's directory cannot be used");
    factory_ = *std::move(opened);
  }

  std::unique_ptr<StateStore> make() {
    auto made = factory_->make("operator");
    check(made.has_value(), "no store");
    return *std::move(made);
  }
  std::unique_ptr<StateStore> restore(const std::vector<StoredFile>& files) {
    auto restored = factory_->restore("operator", files, checkpoints_);
    EXPECT_TRUE(restored) << restored.error().message();
    return *std::move(restored);
  }
  std::vector<StoredFile> checkpoint(StateStore& store, std::uint64_t id,
                                     const std::vector<StoredFile>& base = {}) {
    auto files = test_support::upload(store, {checkpoint_name(id), base, checkpoints_});
    EXPECT_TRUE(files) << files.error().message();
    return *std::move(files);
  }
  std::string refusal(const std::vector<StoredFile>& files) {
    const auto restored = factory_->restore("operator", files, checkpoints_);
    EXPECT_FALSE(restored);
    return restored ? "" : restored.error().message();
  }

  const TemporaryDirectory directory_;
  CheckpointStoreFake checkpoints_;
  std::unique_ptr<StateStoreFactory> factory_;
};

TEST_P(StateStoreTest, AnEmptyStoreHoldsNothing) {
  const auto store = make();
  EXPECT_EQ(get(*store, {"a"}), Rows());
  EXPECT_EQ(get(*store, {}), Rows());
  EXPECT_EQ(scan(*store), Rows());
}

TEST_P(StateStoreTest, RowsAreAddedOverwrittenAndRemoved) {
  const auto store = make();
  must_ingest(*store, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  must_ingest(*store, {{"a", "4"}, {"b", std::nullopt}, {"d", ""}, {"e", std::nullopt}});
  EXPECT_EQ(scan(*store), (Rows{{"a", "4"}, {"c", "3"}, {"d", ""}}));
  EXPECT_EQ(get(*store, {"a", "b", "c", "d", "e"}), scan(*store));
  must_ingest(*store, {{"b", "5"}});
  EXPECT_EQ(get(*store, {"b"}), (Rows{{"b", "5"}}));
}

TEST_P(StateStoreTest, NoRowsChangeNothing) {
  const auto store = make();
  must_ingest(*store, {{"a", "1"}});
  must_ingest(*store, {});
  EXPECT_EQ(scan(*store), (Rows{{"a", "1"}}));
}

TEST_P(StateStoreTest, KeysThatDoNotAscendAreRefusedAndLeaveNoTrace) {
  const auto store = make();
  const std::vector<StateRow> twice{{"a", "1"}, {"b", "2"}, {"b", "3"}};
  const std::vector<StateRow> back{{"a", "1"}, {"c", "2"}, {"b", "3"}};
  for (const auto& rows : {twice, back}) {
    const Status ingested = store->ingest(rows);
    ASSERT_FALSE(ingested);
    EXPECT_EQ(ingested.error().code(), ErrorCode::kInternal);
  }
  EXPECT_EQ(scan(*store), Rows());
  must_ingest(*store, {{"a", "1"}});
  EXPECT_EQ(scan(*store), (Rows{{"a", "1"}}));
}

TEST_P(StateStoreTest, KeysAndValuesAreAnyBytes) {
  using namespace std::literals;
  const auto store = make();
  const Rows rows{
      {"\0"s, "\0\0"s}, {"\0\0"s, ""}, {"\x7f"s, "x"}, {"\xff\xff"s, std::string(100'000, '\xff')}};
  must_ingest(*store, {rows.begin(), rows.end()});
  EXPECT_EQ(scan(*store), rows);
  const auto restored = restore(checkpoint(*store, 1));
  EXPECT_EQ(scan(*restored), rows);
  EXPECT_EQ(get(*restored, {"\0"s, "\0\0"s, "\x7f"s, "\xff\xff"s}), rows);
}

TEST_P(StateStoreTest, ManyKeysAreFoundAtTheirPlaces) {
  const auto store = make();
  must_ingest(*store, numbered(0, 10'000, "old"));
  must_ingest(*store, numbered(5'000, 6'000, "new"));
  std::vector<std::string> keys;
  Rows expected;
  Random random(1);
  for (int i = 0; i < 1'000; ++i) {
    const int number = static_cast<int>(random.below(20'000));
    keys.push_back(key_of(number));
    if (number < 10'000) expected[keys.back()] = number / 1'000 == 5 ? "new" : "old";
  }
  EXPECT_EQ(get(*store, keys), expected);
}

TEST_P(StateStoreTest, AScanKeepsItsBounds) {
  const auto store = make();
  must_ingest(*store, {{"b", "1"}, {"bb", "2"}, {"c", "3"}, {"d", "4"}});
  EXPECT_EQ(scan(*store, "b", "c"), (Rows{{"b", "1"}, {"bb", "2"}}));
  EXPECT_EQ(scan(*store, "ba", "d"), (Rows{{"bb", "2"}, {"c", "3"}}));
  EXPECT_EQ(scan(*store, "c"), (Rows{{"c", "3"}, {"d", "4"}}));
  EXPECT_EQ(scan(*store, "", "bb"), (Rows{{"b", "1"}}));
  EXPECT_EQ(scan(*store, "e"), Rows());
  EXPECT_EQ(scan(*store, "c", "c"), Rows());
  EXPECT_EQ(scan(*store, "d", "b"), Rows());
}

TEST_P(StateStoreTest, AScanStaysAtItsEnd) {
  const auto store = make();
  must_ingest(*store, {{"a", "1"}});
  const auto rows = store->scan("", "");
  EXPECT_TRUE(rows->next());
  EXPECT_FALSE(rows->next());
  EXPECT_FALSE(rows->next());
}

TEST_P(StateStoreTest, AScanSeesTheRowsAsTheyWereWhenItBegan) {
  const auto store = make();
  must_ingest(*store, numbered(0, 1'000, "old"));
  const auto rows = store->scan("", "");
  ASSERT_TRUE(rows->next());
  must_ingest(*store, numbered(500, 1'500, "new"));
  must_ingest(*store, {{key_of(700), std::nullopt}});
  int count = 1;
  for (; rows->next(); ++count) EXPECT_EQ(rows->value(), "old");
  EXPECT_EQ(count, 1'000);
  EXPECT_EQ(scan(*store).size(), 1'499U);
}

TEST_P(StateStoreTest, WhatIsRestoredEqualsWhatWasCheckpointed) {
  const auto store = make();
  Random random(2);
  must_ingest(*store, random_rows(random, 10'000, 1));
  for (int i = 0; i < 20; ++i) must_ingest(*store, random_rows(random, 10'000, 0.01));
  must_ingest(*store, {{key_of(17), std::nullopt}});
  const auto restored = restore(checkpoint(*store, 1));
  EXPECT_EQ(scan(*restored), scan(*store));
}

TEST_P(StateStoreTest, AnEmptyStoreIsRestoredEmpty) {
  const auto restored = restore(checkpoint(*make(), 1));
  EXPECT_EQ(scan(*restored), Rows());
  must_ingest(*restored, {{"a", "1"}});
  EXPECT_EQ(scan(*restored), (Rows{{"a", "1"}}));
}

TEST_P(StateStoreTest, ACheckpointDoesNotSeeWhatComesLater) {
  const auto store = make();
  must_ingest(*store, {{"a", "1"}, {"b", "1"}});
  const auto first = checkpoint(*store, 1);
  must_ingest(*store, {{"a", "2"}, {"c", "2"}});
  const auto second = checkpoint(*store, 2, first);
  must_ingest(*store, {{"a", std::nullopt}});
  EXPECT_EQ(scan(*restore(first)), (Rows{{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(scan(*restore(second)), (Rows{{"a", "2"}, {"b", "1"}, {"c", "2"}}));
}

TEST_P(StateStoreTest, AnUploadHasWhatWasThereWhenItBegan) {
  const auto store = make();
  must_ingest(*store, numbered(0, 1'000, "old"));
  auto upload = store->begin_upload({checkpoint_name(1), {}, checkpoints_});
  ASSERT_TRUE(upload);
  for (bool more = true; more; more = *(*upload)->step()) {
    must_ingest(*store, numbered(500, 1'500, "new"));
  }
  const Rows rows = scan(*restore((*upload)->take_files()));
  EXPECT_EQ(rows.size(), 1'000U);
  for (const auto& [key, value] : rows) EXPECT_EQ(value, "old");
}

// The files of stores that went on from the same checkpoint bear the same names.
TEST_P(StateStoreTest, TwoStoresGoOnFromOneCheckpoint) {
  const auto store = make();
  must_ingest(*store, {{"a", "1"}});
  const auto first = checkpoint(*store, 1);
  must_ingest(*store, {{"b", "2"}});
  const auto second = checkpoint(*store, 2, first);
  const auto fallen_back = restore(first);
  must_ingest(*fallen_back, {{"b", "3"}});
  const auto third = checkpoint(*fallen_back, 3, second);
  EXPECT_EQ(scan(*restore(second)), (Rows{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(scan(*restore(third)), (Rows{{"a", "1"}, {"b", "3"}}));
}

TEST_P(StateStoreTest, AFailedUploadIsReportedAndTheNextCheckpointIsWhole) {
  const auto store = make();
  must_ingest(*store, numbered(0, 1'000, "x"));
  checkpoints_.fill_up_after(100);
  const auto failed = test_support::upload(*store, {checkpoint_name(1), {}, checkpoints_});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kResourceExhausted);
  checkpoints_.fill_up_after(SIZE_MAX);
  EXPECT_EQ(scan(*restore(checkpoint(*store, 2))), scan(*store));
}

TEST_P(StateStoreTest, ADamagedOrMissingFileIsRefusedByName) {
  const auto store = make();
  must_ingest(*store, numbered(0, 1'000, "x"));
  const auto files = checkpoint(*store, 1);
  for (const StoredFile& file : files) {
    std::string& bytes = checkpoints_.bytes_of(file);
    bytes[bytes.size() / 2] ^= 1;
    EXPECT_THAT(refusal(files), HasSubstr(file.name));
    bytes[bytes.size() / 2] ^= 1;
    const std::string whole = bytes;
    bytes.pop_back();
    EXPECT_THAT(refusal(files), HasSubstr(file.name));
    checkpoints_.lose(file);
    EXPECT_THAT(refusal(files), HasSubstr(file.name));
    checkpoints_.give_back(file, whole);
  }
  EXPECT_EQ(scan(*restore(files)), scan(*store));
}

TEST_P(StateStoreTest, AnotherBackendsCheckpointIsRefused) {
  const auto stored = checkpoints_.put(checkpoint_name(1), "other", "bytes");
  const std::string message = refusal({*stored});
  EXPECT_THAT(message, HasSubstr("set the state backend that the checkpoint was taken with"));
}

TEST_P(StateStoreTest, ReadersSeeWholeStepsWhileRowsComeIn) {
  constexpr int kRows = 300;
  const auto store = make();
  must_ingest(*store, numbered(0, kRows, "0"));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    std::vector<StoredFile> base;
    for (int step = 1; step <= 60; ++step) {
      must_ingest(*store, numbered(0, kRows, std::to_string(step)));
      if (step % 10 == 0) base = checkpoint(*store, static_cast<std::uint64_t>(step), base);
    }
    done = true;
  });
  int last = 0;
  while (!done) {
    const Rows rows = scan(*store);
    ASSERT_EQ(rows.size(), std::size_t{kRows});
    const int step = std::stoi(rows.begin()->second);
    for (const auto& [key, value] : rows) ASSERT_EQ(value, std::to_string(step));
    ASSERT_GE(step, last);
    const Rows some = get(*store, {key_of(7), key_of(299), key_of(300)});
    ASSERT_EQ(some.size(), 2U);
    ASSERT_EQ(some.begin()->second, some.rbegin()->second);
    last = std::stoi(some.begin()->second);
    ASSERT_GE(last, step);
  }
  writer.join();
  EXPECT_EQ(scan(*store).begin()->second, "60");
}

INSTANTIATE_TEST_SUITE_P(All, StateStoreTest, testing::Values(Kind::kMemory, Kind::kRocksDb),
                         [](const auto& kind) {
                           return kind.param == Kind::kMemory ? "Memory" : "RocksDb";
                         });

}  // namespace
}  // namespace millrace::detail
