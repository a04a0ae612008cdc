// Every call that the directory store makes to the disk fails once, and the power is cut at each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "millrace/core/text.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "support/fault_file_system.h"
#include "support/memory_file_system.h"

namespace millrace::detail {
namespace {

using test::FaultFileSystem;
using test::MemoryFileSystem;
using testing::HasSubstr;
using testing::IsEmpty;

CheckpointName checkpoint(std::uint64_t id) { return {.id = CheckpointId(id), .epoch = 1}; }

const std::string kRows(100, 'r');

// A store that holds a checkpoint already, and a file to put.
class Place {
 public:
  Place() {
    EXPECT_TRUE(memory.make_directories("/local"));
    EXPECT_TRUE(memory.write_file("/local/rows", kRows));
    EXPECT_TRUE(memory.sync_directory("/local"));
    DirectoryCheckpointStore earlier(memory, "/data");
    old = *earlier.put(checkpoint(1), "old", "old");
    EXPECT_TRUE(earlier.write_metadata(checkpoint(1), "old metadata"));
  }

  void expect_old_is_whole() {
    DirectoryCheckpointStore again(memory, "/data");
    EXPECT_EQ(*again.fetch(old), "old");
    EXPECT_EQ(*again.read_metadata(checkpoint(1)), "old metadata");
  }

  std::vector<std::string> leftovers() const {
    std::vector<std::string> found;
    for (const std::string& path : memory.paths()) {
      if (path.find(".writing") != std::string::npos) found.push_back(path);
    }
    return found;
  }

  MemoryFileSystem memory;
  FaultFileSystem files{memory};
  DirectoryCheckpointStore store{files, "/data"};
  StoredFile old;
};

// What a checkpoint writes, and whether it is there afterwards.
struct Operation {
  std::string name;
  std::function<Status(CheckpointStore&)> run;
  std::function<bool(CheckpointStore&)> is_done;
  std::size_t calls;  // to the disk
};

bool holds_rows(CheckpointStore& store) {
  const StoredFile file{.name = "rows",
                        .path = concat("shared/", to_string(checksum_of(kRows)), "-2-1"),
                        .bytes = kRows.size(),
                        .checksum = checksum_of(kRows)};
  const Result<std::string> bytes = store.fetch(file);
  return bytes && *bytes == kRows;
}

Status without_value(const Result<StoredFile>& file) {
  return file ? Status() : Status(file.error());
}

std::vector<Operation> operations() {
  return {
      {"put", [](auto& store) { return without_value(store.put(checkpoint(2), "rows", kRows)); },
       holds_rows, 4},
      {"put_file",
       [](auto& store) {
         return without_value(store.put_file(checkpoint(2), "rows", "/local/rows"));
       },
       holds_rows, 5},
      {"write_metadata", [](auto& store) { return store.write_metadata(checkpoint(2), "new"); },
       [](auto& store) {
         const Result<std::string> bytes = store.read_metadata(checkpoint(2));
         return bytes && *bytes == "new";
       },
       4},
  };
}

class CheckpointStoreFaults : public testing::TestWithParam<Operation> {
 protected:
  // Calls use(place, n) with the n-th call to the disk planned to fail, for each n that there is.
  void sweep(const std::function<void(FaultFileSystem&, std::size_t)>& plan,
             const std::function<void(Place&)>& use) {
    for (std::size_t n = 1; n <= GetParam().calls; ++n) {
      SCOPED_TRACE(n);
      Place place;
      plan(place.files, n);
      use(place);
      EXPECT_TRUE(place.files.failed());
    }
    Place place;
    plan(place.files, GetParam().calls + 1);
    EXPECT_TRUE(GetParam().run(place.store));
    EXPECT_FALSE(place.files.failed()) << "it makes more calls than the sweep fails";
  }

  void expect_recovery(Place& place, ErrorCode code) {
    const Status failed = GetParam().run(place.store);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), code);
    EXPECT_THAT(failed.error().message(), HasSubstr("'/"));
    place.expect_old_is_whole();
    EXPECT_TRUE(GetParam().run(place.store));
    Random random(7);
    place.memory.cut_power(random);
    place.expect_old_is_whole();
    DirectoryCheckpointStore again(place.memory, "/data");
    EXPECT_TRUE(GetParam().is_done(again)) << "the retry was confirmed, but is not durable";
  }
};

TEST_P(CheckpointStoreFaults, AFailureIsToldAndARetrySucceeds) {
  sweep([](auto& files, auto n) { files.fail(n, EIO); },
        [&](Place& place) {
          expect_recovery(place, ErrorCode::kUnavailable);
          EXPECT_THAT(place.leftovers(), IsEmpty());
        });
}

TEST_P(CheckpointStoreFaults, AFullDiskIsToldAndARetrySucceeds) {
  sweep([](auto& files, auto n) { files.fail_short(n, ENOSPC); },
        [&](Place& place) { expect_recovery(place, ErrorCode::kResourceExhausted); });
}

TEST_P(CheckpointStoreFaults, WhatAFailureLeftIsRemovedLater) {
  sweep([](auto& files, auto n) { files.fail_short(n, ENOSPC); },
        [&](Place& place) {
          EXPECT_FALSE(GetParam().run(place.store));
          EXPECT_TRUE(place.store.remove_unused(checkpoint(1), {}, {}));
          const std::size_t newer = place.leftovers().size();
          EXPECT_TRUE(place.store.remove_unused(checkpoint(2), {}, {}));
          EXPECT_THAT(place.memory.paths(), testing::ElementsAre("/local/rows"));
          EXPECT_LE(newer, 1u);
        });
}

TEST_P(CheckpointStoreFaults, APowerCutDamagesNothingAndConfirmedThingsStay) {
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    sweep([](auto& files, auto n) { files.cut_power(n); },
          [&](Place& place) {
            EXPECT_FALSE(GetParam().run(place.store));
            place.memory.cut_power(random);
            place.expect_old_is_whole();
            DirectoryCheckpointStore again(place.memory, "/data");
            EXPECT_TRUE(GetParam().run(again));
            place.memory.cut_power(random);
            EXPECT_TRUE(GetParam().is_done(again));
          });
  }
}

INSTANTIATE_TEST_SUITE_P(Each, CheckpointStoreFaults, testing::ValuesIn(operations()),
                         [](const auto& test) { return test.param.name; });

TEST(CheckpointStoreReading, AFailureIsNoDamage) {
  Place place;
  place.files.fail(1, EIO);
  EXPECT_EQ(place.store.fetch(place.old).error().code(), ErrorCode::kUnavailable);
  for (std::size_t n = 1; n <= 2; ++n) {
    place.files.fail(n, EIO);
    EXPECT_EQ(place.store.fetch_file(place.old, "/local/to").error().code(),
              ErrorCode::kUnavailable);
  }
  place.files.fail(1, EIO);
  EXPECT_EQ(place.store.read_metadata(checkpoint(1)).error().code(), ErrorCode::kUnavailable);
}

TEST(CheckpointStoreReading, FindsEachFlippedByteOfAFile) {
  Place place;
  const std::string good = *place.store.fetch(place.old);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    place.memory.damage("/data/" + place.old.path, bytes);
    EXPECT_EQ(place.store.fetch(place.old).error().code(), ErrorCode::kCorruption);
  }
}

TEST(CheckpointStoreRemoving, GoesOnAfterAFailureAndFinishesWithTheNextCall) {
  for (std::size_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    Place place;
    ASSERT_TRUE(place.store.write_metadata(checkpoint(2), "kept"));
    place.files.fail(n, EIO);
    const Status removed = place.store.remove_unused(checkpoint(2), {checkpoint(2)}, {});
    if (!place.files.failed()) {
      EXPECT_EQ(n, 7u);
      break;
    }
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(place.store.remove_unused(checkpoint(2), {checkpoint(2)}, {}));
    EXPECT_THAT(place.memory.paths(),
                testing::ElementsAre("/data/chk-2-1/_metadata", "/local/rows"));
  }
}

}  // namespace
}  // namespace millrace::detail
