#include "millrace/coordination/artifact_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/sha256.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string sha256_of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.take();
}

class ArtifactStoreTest : public testing::Test {
 protected:
  Status put(std::string_view sha256, std::vector<std::string> parts) {
    std::size_t next = 0;
    return store_.put(sha256, [&]() -> Result<std::string> {
      return next < parts.size() ? parts[next++] : std::string();
    });
  }
  std::string stored(std::string_view bytes) {
    const std::string name = sha256_of(bytes);
    EXPECT_TRUE(put(name, {std::string(bytes)}));
    return name;
  }
  void used_ago(const std::string& name, Duration age) {
    fs::last_write_time(directory_.path(name), fs::file_time_type::clock::now() - age);
  }
  void remove_unused(const std::set<std::string>& in_use) {
    store_.remove_unused(in_use, SystemClock().now() - 1h);
  }

  test::TemporaryDirectory directory_;
  RealFileSystem files_;
  ArtifactStore store_{files_, directory_.path()};
};

TEST_F(ArtifactStoreTest, KeepsWhatIsSentInParts) {
  const std::string name = sha256_of("one and two");
  EXPECT_FALSE(store_.has(name));
  ASSERT_TRUE(put(name, {"one", " and ", "two"}));
  EXPECT_TRUE(store_.has(name));
  EXPECT_EQ(*store_.size_of(name), 11u);
  EXPECT_EQ(*store_.read(name, 4), "and two");
  EXPECT_EQ(*store_.read(name, 11), "");
}

TEST_F(ArtifactStoreTest, RefusesOtherBytesAndLeavesNothingOfThem) {
  const Status put_other = put(sha256_of("one"), {"two"});
  ASSERT_FALSE(put_other);
  EXPECT_EQ(put_other.error().code(), ErrorCode::kCorruption);
  EXPECT_FALSE(put("../one", {"two"}));
  const Status broken = store_.put(sha256_of("one"), [n = 0]() mutable -> Result<std::string> {
    if (n++ == 0) return std::string("o");
    return unavailable("the line is gone");
  });
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message(), HasSubstr("the line is gone"));
  EXPECT_THAT(directory_.names(), IsEmpty());
}

TEST_F(ArtifactStoreTest, SaysWhatToDoAboutWhatIsNotThere) {
  const auto size = store_.size_of(sha256_of("one"));
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(size.error().message(), HasSubstr("upload it first"));
  EXPECT_FALSE(store_.size_of("../leader"));
}

// Whoever takes it for gone gives up a job that runs.
TEST_F(ArtifactStoreTest, DoesNotTakeForGoneWhatItCannotLookAt) {
  const std::string name = sha256_of("x");
  fs::create_symlink(directory_.path(name), directory_.path(name));  // leads round in a circle
  const Result<std::uint64_t> size = store_.size_of(name);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(size.error().message(), HasSubstr("cannot look at the executable"));
}

TEST_F(ArtifactStoreTest, RemovesWhatNobodyHasNeededForLong) {
  const std::string needed = stored("needed");
  const std::string recent = stored("recent");
  const std::string old = stored("old");
  directory_.file("notes", "somebody else's");
  directory_.file(".given-up", "half of it");
  for (const std::string& name : {needed, old, std::string("notes"), std::string(".given-up")}) {
    used_ago(name, 61min);
  }
  used_ago(recent, 59min);
  remove_unused({needed});
  EXPECT_THAT(directory_.names(), UnorderedElementsAre(needed, recent, "notes"));
}

TEST_F(ArtifactStoreTest, KeepsWhatSomebodyHasAskedFor) {
  const std::string asked = stored("asked");
  const std::string begun = stored("begun");
  used_ago(asked, 61min);
  used_ago(begun, 61min);
  EXPECT_TRUE(store_.has(asked));
  EXPECT_TRUE(store_.size_of(begun));
  remove_unused({});
  EXPECT_THAT(directory_.names(), UnorderedElementsAre(asked, begun));
}

TEST_F(ArtifactStoreTest, LeavesAnUploadAlone) {
  const std::string name = sha256_of("onetwo");
  const Status put = store_.put(name, [&, n = 0]() mutable -> Result<std::string> {
    remove_unused({});
    constexpr const char* kParts[] = {"one", "two", ""};
    return std::string(kParts[n++]);
  });
  EXPECT_TRUE(put);
  EXPECT_TRUE(store_.has(name));
}

}  // namespace
}  // namespace millrace::detail
