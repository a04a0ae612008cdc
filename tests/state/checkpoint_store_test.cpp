// What holds for every checkpoint store.
#include "millrace/state/checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

CheckpointName checkpoint(std::uint64_t id, std::uint64_t epoch = 1) {
  return {.id = CheckpointId(id), .epoch = epoch};
}

class InMemory {
 public:
  CheckpointStore& store() { return store_; }
  TemporaryDirectory directory;

 private:
  MemoryCheckpointStore store_;
};

class OnDisk {
 public:
  CheckpointStore& store() { return store_; }
  TemporaryDirectory directory;

 private:
  RealFileSystem files_;
  DirectoryCheckpointStore store_{files_, directory.path("store")};
};

template <class Place>
class AnyCheckpointStore : public testing::Test {
 protected:
  CheckpointStore& store() { return place_.store(); }
  TemporaryDirectory& directory() { return place_.directory; }

 private:
  Place place_;
};
using Places = testing::Types<InMemory, OnDisk>;
TYPED_TEST_SUITE(AnyCheckpointStore, Places);

TYPED_TEST(AnyCheckpointStore, GivesBackWhatWasPut) {
  const Result<StoredFile> file = this->store().put(checkpoint(1), "rows", "content");
  ASSERT_TRUE(file);
  EXPECT_EQ(*file, (StoredFile{.name = "rows",
                               .path = "shared/" + to_string(checksum_of("content")) + "-1-1",
                               .bytes = 7,
                               .checksum = checksum_of("content")}));
  EXPECT_EQ(*this->store().fetch(*file), "content");
}

TYPED_TEST(AnyCheckpointStore, GivesBackFiles) {
  const std::string content(700'000, 'x');
  const std::string path = this->directory().file("000012.sst", content);
  const Result<StoredFile> file = this->store().put_file(checkpoint(1), "000012.sst", path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->bytes, content.size());
  EXPECT_EQ(file->checksum, checksum_of(content));
  EXPECT_EQ(*this->store().fetch(*file), content);
  ASSERT_TRUE(this->store().fetch_file(*file, this->directory().path("restored")));
  EXPECT_EQ(this->directory().read("restored"), content);
}

TYPED_TEST(AnyCheckpointStore, KeepsEmptyFilesToo) {
  const Result<StoredFile> file = this->store().put(checkpoint(1), "none", "");
  ASSERT_TRUE(file);
  EXPECT_EQ(*this->store().fetch(*file), "");
}

TYPED_TEST(AnyCheckpointStore, TakesTheSameContentTwice) {
  const Result<StoredFile> first = this->store().put(checkpoint(1), "a", "same");
  const Result<StoredFile> second = this->store().put(checkpoint(1), "b", "same");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->path, second->path);
  EXPECT_EQ(*this->store().fetch(*first), "same");
}

TYPED_TEST(AnyCheckpointStore, DoesNotReplaceAFileThatIsThere) {
  const Result<StoredFile> file = this->store().put(checkpoint(1), "a", "content");
  ASSERT_TRUE(file);
  const std::string there = this->directory().file("there", "mine");
  EXPECT_FALSE(this->store().fetch_file(*file, there));
  EXPECT_EQ(this->directory().read("there"), "mine");
  EXPECT_THAT(
      this->store().fetch_file(*file, this->directory().path("no/such/place")).error().message(),
      HasSubstr("no/such/place"));
}

TYPED_TEST(AnyCheckpointStore, RefusesAFileThatIsNotThere) {
  const std::string missing = this->directory().path("missing");
  const Result<StoredFile> file = this->store().put_file(checkpoint(1), "a", missing);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(file.error().message(), HasSubstr(missing));
}

TYPED_TEST(AnyCheckpointStore, GivesBackMetadata) {
  ASSERT_TRUE(this->store().write_metadata(checkpoint(3, 2), "first"));
  ASSERT_TRUE(this->store().write_metadata(checkpoint(3, 2), "again"));
  EXPECT_EQ(*this->store().read_metadata(checkpoint(3, 2)), "again");
  for (const CheckpointName& other : {checkpoint(3, 1), checkpoint(2, 2)}) {
    const Error error = this->store().read_metadata(other).error();
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr("there is no checkpoint " + to_string(other)));
  }
}

TYPED_TEST(AnyCheckpointStore, SaysHowAFileIsDamaged) {
  const Result<StoredFile> file = this->store().put(checkpoint(1), "rows", "content");
  ASSERT_TRUE(file);
  const auto refused = [&](const StoredFile& wanted) {
    const Error error = this->store().fetch(wanted).error();
    EXPECT_EQ(error.code(), ErrorCode::kCorruption);
    EXPECT_EQ(this->store().fetch_file(wanted, this->directory().path("to")).error(), error);
    EXPECT_THAT(this->directory().names(), testing::Not(testing::Contains("to")));
    return error.message();
  };
  const std::string start = "checkpoint file '" + file->path + "' ('rows') ";
  StoredFile longer = *file;
  longer.bytes = 9;
  EXPECT_THAT(refused(longer), HasSubstr(start + "is truncated at byte 7 of 9"));
  StoredFile shorter = *file;
  shorter.bytes = 6;
  EXPECT_THAT(refused(shorter), HasSubstr(start + "goes on after its 6 bytes"));
  StoredFile other = *file;
  other.checksum.low ^= 1;
  EXPECT_THAT(refused(other),
              HasSubstr(start +
                        "differs from what was written, somewhere in bytes 0 to 6: its "
                        "checksum is " +
                        to_string(file->checksum) + ", expected " + to_string(other.checksum)));
  StoredFile missing = *file;
  missing.path.back() = '2';
  EXPECT_THAT(refused(missing), HasSubstr("-1-2' ('rows') is missing"));
  StoredFile outside = *file;
  outside.path = "../secret";
  EXPECT_THAT(refused(outside), HasSubstr("'../secret'"));
}

TYPED_TEST(AnyCheckpointStore, RemovesWhatIsUnusedUpToTheNewest) {
  CheckpointStore& store = this->store();
  std::vector<StoredFile> files;
  for (std::uint64_t id = 1; id <= 5; ++id) {
    files.push_back(*store.put(checkpoint(id), "f", std::to_string(id)));
    ASSERT_TRUE(store.write_metadata(checkpoint(id), "m"));
  }
  ASSERT_TRUE(store.remove_unused(checkpoint(4), {checkpoint(3), checkpoint(4)}, {files[0].path}));
  for (std::uint64_t id = 1; id <= 5; ++id) {
    EXPECT_EQ(store.read_metadata(checkpoint(id)).has_value(), id >= 3) << id;
    EXPECT_EQ(store.fetch(files[id - 1]).has_value(), id != 2) << id;
  }
}

TYPED_TEST(AnyCheckpointStore, RemovesNothingWhereThereIsNothing) {
  EXPECT_TRUE(this->store().remove_unused(checkpoint(4), {}, {}));
}

TYPED_TEST(AnyCheckpointStore, LeavesAStoredFileAloneWhenItsSourceGoes) {
  const std::string path = this->directory().file("source", "content");
  const Result<StoredFile> file = this->store().put_file(checkpoint(1), "source", path);
  ASSERT_TRUE(file);
  std::filesystem::remove(path);
  EXPECT_EQ(*this->store().fetch(*file), "content");
}

}  // namespace
}  // namespace millrace::detail
