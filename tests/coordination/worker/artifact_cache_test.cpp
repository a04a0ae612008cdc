#include "millrace/coordination/worker/artifact_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string name_of(std::string_view content) {
  Sha256 hash;
  hash.add(content);
  return hash.take();
}

class ArtifactCacheTest : public testing::Test {
 protected:
  ArtifactCache open() const { return *ArtifactCache::open(directory_.path("artifacts")); }
  ArtifactPart part(std::uint64_t offset, std::uint64_t bytes) const {
    return {artifact_, offset, content_.substr(offset, bytes), {}};
  }
  void fetch(ArtifactCache& cache) const {
    ASSERT_EQ(*cache.look_for(artifact_, content_.size()), ArtifactProgress{});
    const auto whole = cache.add(part(0, content_.size()));
    ASSERT_TRUE(whole) << whole.error().message();
    ASSERT_EQ((*whole)->file, path());
  }
  std::string path() const { return directory_.path("artifacts/" + artifact_); }
  std::vector<std::string> names() const { return directory_.names("artifacts"); }

  TemporaryDirectory directory_;
  const std::string content_ = "#!/bin/sh\nexit 0\n";
  const std::string artifact_ = name_of(content_);
};

TEST_F(ArtifactCacheTest, FetchesPartAfterPart) {
  ArtifactCache cache = open();
  EXPECT_EQ(*cache.look_for(artifact_, content_.size()), ArtifactProgress{});
  EXPECT_EQ((*cache.add(part(0, 5)))->offset, 5U);
  EXPECT_EQ(*cache.look_for(artifact_, content_.size()), ArtifactProgress{.offset = 5});
  EXPECT_EQ((*cache.add(part(5, 99)))->file, path());
  EXPECT_EQ(directory_.read("artifacts/" + artifact_), content_);
  EXPECT_EQ(access(path().c_str(), X_OK), 0);
  EXPECT_THAT(names(), ElementsAre(artifact_));
  EXPECT_EQ(cache.look_for(artifact_, content_.size())->file, path());
}

TEST_F(ArtifactCacheTest, IgnoresWhatItHasOrDoesNotFetch) {
  ArtifactCache cache = open();
  EXPECT_FALSE(*cache.add(part(0, 5)));
  (void)cache.look_for(artifact_, content_.size());
  EXPECT_TRUE(*cache.add(part(0, 5)));
  EXPECT_FALSE(*cache.add(part(0, 5)));
  EXPECT_EQ(*cache.look_for(artifact_, content_.size()), ArtifactProgress{.offset = 5});
}

TEST_F(ArtifactCacheTest, RefusesAnotherContent) {
  ArtifactCache cache = open();
  (void)cache.look_for(artifact_, content_.size());
  const auto added = cache.add({artifact_, 0, std::string(content_.size(), 'x'), std::nullopt});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kCorruption);
  EXPECT_THAT(added.error().message(), HasSubstr("has the SHA-256"));
  EXPECT_THAT(names(), IsEmpty());
  fetch(cache);
}

TEST_F(ArtifactCacheTest, RefusesPartsThatWereNotAskedFor) {
  for (const ArtifactPart& bad :
       {part(5, 5), part(0, 0), ArtifactPart{artifact_, 0, content_ + "x", {}}}) {
    ArtifactCache cache = open();
    (void)cache.look_for(artifact_, content_.size());
    const auto added = cache.add(bad);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), ErrorCode::kCorruption);
    EXPECT_THAT(added.error().message(), HasSubstr("where those from 0 on were asked for"));
    EXPECT_THAT(names(), IsEmpty());
  }
}

TEST_F(ArtifactCacheTest, PassesOnWhyTheLeaderHasNone) {
  ArtifactCache cache = open();
  (void)cache.look_for(artifact_, content_.size());
  const auto added = cache.add({artifact_, 0, "", not_found("no such executable")});
  EXPECT_EQ(added.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(added.error().message(), HasSubstr(artifact_));
}

TEST_F(ArtifactCacheTest, RefusesSizesThatCannotBe) {
  ArtifactCache cache = open();
  for (const std::uint64_t bytes : {std::uint64_t{0}, kMostArtifactBytes + 1}) {
    EXPECT_EQ(cache.look_for(artifact_, bytes).error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST_F(ArtifactCacheTest, KeepsWhatIsWholeAndForgetsTheRest) {
  {
    ArtifactCache cache = open();
    fetch(cache);
    (void)cache.look_for(name_of("other"), 5);
    (void)cache.add({name_of("other"), 0, "oth", {}});
  }
  ArtifactCache cache = open();
  EXPECT_THAT(names(), ElementsAre(artifact_));
  EXPECT_EQ(cache.look_for(artifact_, content_.size())->file, path());
}

TEST_F(ArtifactCacheTest, FetchesAgainWhatWasDamaged) {
  {
    ArtifactCache cache = open();
    fetch(cache);
  }
  std::filesystem::remove(path());
  directory_.file("artifacts/" + artifact_, "damaged");
  ArtifactCache cache = open();
  fetch(cache);
  EXPECT_EQ(directory_.read("artifacts/" + artifact_), content_);
}

TEST_F(ArtifactCacheTest, RemovesWhatWasNotUsedForLong) {
  ArtifactCache cache = open();
  fetch(cache);
  (void)cache.look_for(name_of("other"), 5);
  const Timestamp now = SystemClock().now();
  cache.remove_unused({artifact_, name_of("other")}, now + 1h);
  EXPECT_EQ(names().size(), 2U);
  cache.remove_unused({}, now - 1h);
  EXPECT_THAT(names(), ElementsAre(artifact_));
  cache.remove_unused({}, now + 1h);
  EXPECT_THAT(names(), IsEmpty());
  fetch(cache);
}

TEST_F(ArtifactCacheTest, SaysWhatTheDiskRefuses) {
  ArtifactCache cache = open();
  std::filesystem::remove_all(directory_.path("artifacts"));
  const auto looked = cache.look_for(artifact_, 5);
  ASSERT_FALSE(looked);
  EXPECT_THAT(looked.error().message(), HasSubstr("cannot write the executable to"));
  directory_.file("file", "");
  EXPECT_FALSE(ArtifactCache::open(directory_.path("file/artifacts")));
}

}  // namespace
}  // namespace millrace::detail
