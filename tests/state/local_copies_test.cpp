#include "millrace/state/files/local_copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

CheckpointName checkpoint(std::uint64_t id) { return {.id = CheckpointId(id), .epoch = 1}; }

class Copies : public testing::Test {
 protected:
  // A file of the checkpoint, which only the copies have.
  StoredFile put(std::uint64_t id, const std::string& content) {
    const std::string path = directory_.file("upload", content);
    StoredFile stored = *copies_.put_file(checkpoint(id), "rows.sst", path);
    EXPECT_TRUE(shared_.fetch(stored));
    std::filesystem::remove(path);
    return stored;
  }
  void lose_shared(std::uint64_t newest) {
    EXPECT_TRUE(shared_.remove_unused(checkpoint(newest), {}, {}));
  }
  std::string copy_of(const StoredFile& file) const {
    return "copies/" + std::filesystem::path(file.path).filename().native();
  }
  std::vector<std::string> kept() const {
    return std::filesystem::exists(directory_.path("copies")) ? directory_.names("copies")
                                                              : std::vector<std::string>();
  }

  test::TemporaryDirectory directory_;
  RealFileSystem files_;
  MemoryCheckpointStore shared_;
  LocalCopies copies_{files_, shared_, directory_.path("copies")};
};

TEST_F(Copies, ServeWithoutTheSharedStore) {
  const StoredFile file = put(1, "content");
  lose_shared(1);
  EXPECT_EQ(*copies_.fetch(file), "content");
  ASSERT_TRUE(copies_.fetch_file(file, directory_.path("restored")));
  EXPECT_EQ(directory_.read("restored"), "content");
}

TEST_F(Copies, ServeTheNextProcess) {
  const StoredFile file = put(1, "content");
  lose_shared(1);
  LocalCopies next(files_, shared_, directory_.path("copies"));
  EXPECT_EQ(*next.fetch(file), "content");
}

TEST_F(Copies, AreNotBelievedWhenDamaged) {
  const StoredFile file = put(1, "content");
  directory_.file(copy_of(file), "contents");
  EXPECT_EQ(*copies_.fetch(file), "content");
  EXPECT_THAT(kept(), IsEmpty());
  ASSERT_TRUE(copies_.fetch_file(file, directory_.path("restored")));
  EXPECT_EQ(directory_.read("restored"), "content");
}

TEST_F(Copies, AreMadeOfWhatIsFetched) {
  const StoredFile file = put(1, "content");
  std::filesystem::remove(directory_.path(copy_of(file)));
  ASSERT_TRUE(copies_.fetch_file(file, directory_.path("restored")));
  lose_shared(1);
  EXPECT_EQ(*copies_.fetch(file), "content");
}

TEST_F(Copies, AreNotWorthAFailure) {
  directory_.file("copies", "no folder");
  LocalCopies copies(files_, shared_, directory_.path("copies"));
  const auto file =
      copies.put_file(checkpoint(1), "rows.sst", directory_.file("upload", "content"));
  ASSERT_TRUE(file);
  EXPECT_EQ(*copies.fetch(*file), "content");
}

TEST_F(Copies, GoWhenNobodyNeedsThem) {
  const int one = 1;
  const int other = 2;
  copies_.retain(&one, {}, {});
  copies_.retain(&other, {}, {});
  const StoredFile a1 = put(1, "one's");
  const StoredFile b1 = put(1, "other's");
  copies_.retain(&one, checkpoint(1), std::array{a1});
  copies_.retain(&other, checkpoint(1), std::array{b1});
  EXPECT_THAT(kept(), SizeIs(2));
  const StoredFile a2 = put(2, "one's second");
  const StoredFile b2 = put(2, "other's second");
  copies_.retain(&one, checkpoint(2), std::array{a2});
  EXPECT_THAT(kept(), SizeIs(4)) << "the other has not said yet that it needs its second";
  copies_.retain(&other, checkpoint(2), std::array{b1, b2});
  EXPECT_THAT(kept(), SizeIs(3));
  lose_shared(2);
  EXPECT_EQ(*copies_.fetch(a2), "one's second");
  EXPECT_EQ(*copies_.fetch(b1), "other's");
  EXPECT_EQ(*copies_.fetch(b2), "other's second");
}

// The next ones begin with what these needed last, and a full disk must not stay full.
TEST_F(Copies, OfACheckpointThatWasGivenUpGoWithTheLastOwner) {
  const int one = 1;
  const int other = 2;
  const StoredFile kept = put(1, "kept");
  copies_.retain(&one, checkpoint(1), std::array{kept});
  copies_.retain(&other, {}, {});
  put(2, "given up");
  copies_.forget(&one);
  EXPECT_THAT(this->kept(), SizeIs(2));
  copies_.forget(&other);
  EXPECT_THAT(this->kept(), ElementsAre(std::filesystem::path(kept.path).filename().native()));
}

TEST_F(Copies, OfOwnersThatAreGoneStayUntilTheNextCheckpoint) {
  const int gone = 1;
  const int next = 2;
  copies_.retain(&gone, {}, {});
  const StoredFile old = put(1, "old");
  copies_.retain(&gone, checkpoint(1), std::array{old});
  copies_.forget(&gone);
  copies_.retain(&next, {}, std::array{old});
  const StoredFile young = put(2, "young");
  EXPECT_THAT(kept(), SizeIs(2));
  copies_.retain(&next, checkpoint(2), std::array{young});
  EXPECT_THAT(kept(), ElementsAre(std::filesystem::path(young.path).filename().native()));
}

}  // namespace
}  // namespace millrace::detail
