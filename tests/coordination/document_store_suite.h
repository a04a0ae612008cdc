// What holds for every store of documents, as the leader has it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordination/coordination_places.h"

namespace millrace::detail {

template <class Place>
class AnyDocumentStore : public testing::Test {
 protected:
  void SetUp() override {
    coordinator_.join("one:1");
    epoch_ = LeaderEpoch(coordinator_.told->await_lead());
    ASSERT_EQ(epoch_, LeaderEpoch(1));
  }

  DocumentStore& store() { return *coordinator_.documents; }
  Result<DocumentVersion> write(std::string_view path, std::uint64_t version,
                                std::string_view bytes) {
    return store().write(path, DocumentVersion(version), bytes, epoch_);
  }
  Status erase(std::string_view path, std::uint64_t version) {
    return store().erase(path, DocumentVersion(version), epoch_);
  }

 private:
  Place place_;
  test::Coordinator coordinator_ = place_.coordinator();
  LeaderEpoch epoch_;
};
TYPED_TEST_SUITE_P(AnyDocumentStore);

TYPED_TEST_P(AnyDocumentStore, HasNothingAtFirst) {
  EXPECT_EQ(*this->store().read("jobs/1"), std::nullopt);
  EXPECT_THAT(*this->store().list("jobs"), testing::IsEmpty());
}

TYPED_TEST_P(AnyDocumentStore, GivesBackWhatWasWritten) {
  EXPECT_EQ(*this->write("jobs/1", 0, "one"), DocumentVersion(1));
  EXPECT_EQ(**this->store().read("jobs/1"), (Document{"one", DocumentVersion(1)}));
  EXPECT_EQ(*this->write("jobs/1", 1, ""), DocumentVersion(2));
  EXPECT_EQ(**this->store().read("jobs/1"), (Document{"", DocumentVersion(2)}));
  const std::string bytes("\0\xff\n", 3);
  EXPECT_EQ(*this->write("jobs/1", 2, bytes), DocumentVersion(3));
  EXPECT_EQ(**this->store().read("jobs/1"), (Document{bytes, DocumentVersion(3)}));
}

TYPED_TEST_P(AnyDocumentStore, ListsAFolder) {
  for (const char* path : {"jobs/b", "jobs/a", "jobs/a%2fb", "jobs-2/c"}) {
    ASSERT_TRUE(this->write(path, 0, "x")) << path;
  }
  EXPECT_THAT(*this->store().list("jobs"), testing::ElementsAre("a", "a%2fb", "b"));
  ASSERT_TRUE(this->erase("jobs/a", 1));
  EXPECT_THAT(*this->store().list("jobs"), testing::ElementsAre("a%2fb", "b"));
}

TYPED_TEST_P(AnyDocumentStore, RefusesAnotherVersion) {
  EXPECT_EQ(this->write("jobs/1", 1, "x").error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(this->erase("jobs/1", 1).error().code(), ErrorCode::kCancelled);
  ASSERT_TRUE(this->write("jobs/1", 0, "one"));
  for (const std::uint64_t version : {0, 2}) {
    const Error error = this->write("jobs/1", version, "x").error();
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    EXPECT_THAT(error.message(), testing::HasSubstr("the document 'jobs/1' is "));
    EXPECT_THAT(error.message(), testing::HasSubstr("it was changed meanwhile, read it again"));
  }
  EXPECT_EQ(this->erase("jobs/1", 2).error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(**this->store().read("jobs/1"), (Document{"one", DocumentVersion(1)}));
}

TYPED_TEST_P(AnyDocumentStore, ErasesAndBeginsAnew) {
  ASSERT_TRUE(this->write("jobs/1", 0, "one"));
  ASSERT_TRUE(this->write("jobs/1", 1, "two"));
  EXPECT_TRUE(this->erase("jobs/1", 2));
  EXPECT_EQ(*this->store().read("jobs/1"), std::nullopt);
  EXPECT_EQ(*this->write("jobs/1", 0, "three"), DocumentVersion(1));
}

TYPED_TEST_P(AnyDocumentStore, RefusesWhoDoesNotLead) {
  for (const std::uint64_t epoch : {0, 2}) {
    const LeaderEpoch other(epoch);
    EXPECT_EQ(this->store().write("jobs/1", kNoDocument, "x", other).error().code(),
              ErrorCode::kCancelled);
    EXPECT_EQ(this->store().erase("jobs/1", DocumentVersion(1), other).error().code(),
              ErrorCode::kCancelled);
  }
  EXPECT_EQ(*this->store().read("jobs/1"), std::nullopt);
}

TYPED_TEST_P(AnyDocumentStore, RefusesWhatIsNoPathOfADocument) {
  for (const char* path : {"", "jobs", "/", "jobs/", "/1", "jobs/a/b", "jobs/.", "../1", "jobs/ä",
                           "election/n", "leader/n", "jobs/a b"}) {
    for (const Error& error :
         {this->store().read(path).error(), this->write(path, 0, "x").error()}) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << path;
      EXPECT_THAT(error.message(), testing::HasSubstr("is no path of a document: expected"));
    }
  }
  EXPECT_EQ(this->erase("jobs", 1).error().code(), ErrorCode::kInvalidArgument);
}

TYPED_TEST_P(AnyDocumentStore, TakesTheLargestDocumentAndRefusesALargerOne) {
  std::string bytes(kLargestDocument, 'x');
  EXPECT_TRUE(this->write("jobs/1", 0, bytes));
  EXPECT_EQ((*this->store().read("jobs/1"))->bytes, bytes);
  EXPECT_TRUE(this->write("jobs/1", 1, bytes));
  bytes += 'x';
  const Error error = this->write("jobs/1", 2, bytes).error();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), testing::HasSubstr("is to have 1000001 bytes, but ZooKeeper keeps"));
}

TYPED_TEST_P(AnyDocumentStore, HasPathsForAnyName) {
  for (const char* name : {"a", "A", "a/b", "a%2Fb", "", ".", "..", "\xc3\xa4 \n"}) {
    const std::string path = document_path("jobs", name);
    ASSERT_TRUE(this->write(path, 0, name)) << path;
    EXPECT_EQ((*this->store().read(path))->bytes, name);
  }
}

REGISTER_TYPED_TEST_SUITE_P(AnyDocumentStore, HasNothingAtFirst, GivesBackWhatWasWritten,
                            ListsAFolder, RefusesAnotherVersion, ErasesAndBeginsAnew,
                            RefusesWhoDoesNotLead, RefusesWhatIsNoPathOfADocument,
                            TakesTheLargestDocumentAndRefusesALargerOne, HasPathsForAnyName);

}  // namespace millrace::detail
