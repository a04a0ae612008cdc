// The checker reads files as a job commits them, and names each kind of damage in them.
#include "millrace/testing/verifier/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "millrace/core/json/json.h"
#include "millrace/testing/harness.h"
#include "support/temporary_directory.h"

namespace millrace::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr EventPattern kPattern{.seed = 5, .partitions = 2, .rounds = 9, .keys = 4};

template <class T>
std::vector<std::string> lines_of(const std::vector<T>& records) {
  std::vector<std::string> lines;
  for (const T& record : records) detail::append_json(lines.emplace_back(), record);
  return lines;
}

// What a job without faults shows.
struct Shown {
  std::vector<Sighting> sightings;
  std::vector<Account> accounts;
};

Shown right_ones() {
  Harness<Witness> witness(kPattern);
  witness.key_by([](const Event& event) { return std::tuple(event.partition, event.key); });
  for (std::uint32_t partition = 0; partition < kPattern.partitions; ++partition) {
    for (std::uint64_t sequence = 0; sequence < kPattern.events(); ++sequence) {
      witness.push(kPattern.event(partition, sequence));
    }
  }
  witness.advance_watermark(kPattern.end());
  return {witness.take(), witness.take(kAccounts)};
}

class VerifierTest : public testing::Test {
 protected:
  void write(const fs::path& folder, const std::string& file,
             const std::vector<std::string>& lines) const {
    fs::create_directories(folder);
    std::ofstream out(folder / file);
    for (const std::string& line : lines) out << line << '\n';
  }
  void write(const Shown& shown, const std::string& below = "out") const {
    write(root() / below / "sightings", "part-0-1.jsonl", lines_of(shown.sightings));
    write(root() / below / "accounts", "part-0-1.jsonl", lines_of(shown.accounts));
  }
  Verdict judged(const Shown& shown) const {
    write(shown);
    Result<Verdict> verdict = judge(kPattern, root() / "out");
    EXPECT_TRUE(verdict);
    return *verdict;
  }
  void expect_one(const Shown& shown, Harm harm, const std::string& text) const {
    const Verdict verdict = judged(shown);
    EXPECT_EQ(verdict.damages().size(), 1u) << verdict.text();
    EXPECT_EQ(verdict.count(Level::kOutput, harm), 1u);
    EXPECT_THAT(verdict.text(), HasSubstr(text));
  }

  fs::path root() const { return directory_.path(); }

  TemporaryDirectory directory_;
  Shown shown_ = right_ones();
};

TEST_F(VerifierTest, FindsNothingWrongWithWhatIsRight) {
  const Verdict verdict = judged(shown_);
  EXPECT_TRUE(verdict.clean());
  EXPECT_EQ(verdict.text(), "nothing is lost, duplicated, reordered or altered\n");
}

TEST_F(VerifierTest, NamesALostEvent) {
  const Sighting lost = shown_.sightings.front();
  shown_.sightings.erase(shown_.sightings.begin());
  expect_one(shown_, Harm::kLost,
             concat("output: 1 lost\n  event ", lost.sequence, " of partition 0\n"));
}

TEST_F(VerifierTest, NamesALostTimer) {
  const auto timer = std::ranges::find(shown_.sightings, Occasion::kTimer, &Sighting::occasion);
  const std::uint64_t sequence = timer->sequence;
  shown_.sightings.erase(timer);
  expect_one(shown_, Harm::kLost, concat("the timer of event ", sequence, " of partition 0"));
}

TEST_F(VerifierTest, NamesADuplicatedEvent) {
  shown_.sightings.push_back(shown_.sightings[3]);
  expect_one(shown_, Harm::kDuplicated, "event 3 of partition 0");
}

TEST_F(VerifierTest, NamesEventsOfAKeyThatChangedPlaces) {
  const std::uint64_t key = shown_.sightings[0].key;
  const auto next = std::find_if(shown_.sightings.begin() + 1, shown_.sightings.end(),
                                 [&](const Sighting& s) { return s.key == key; });
  std::iter_swap(shown_.sightings.begin(), next);
  expect_one(shown_, Harm::kReordered, "event 0 of partition 0, shown after event");
}

TEST_F(VerifierTest, OrderOfDifferentKeysDoesNotMatter) {
  std::swap(shown_.sightings[0], shown_.sightings[1]);
  EXPECT_TRUE(judged(shown_).clean());
}

TEST_F(VerifierTest, NamesAnAlteredEvent) {
  shown_.sightings[5].count += 1;
  expect_one(shown_, Harm::kAltered, "event 5 of partition 0: key");
}

TEST_F(VerifierTest, NamesAnEventThatNobodyEmitted) {
  shown_.sightings.push_back({.partition = 1, .sequence = 1'000});
  expect_one(shown_, Harm::kAltered, "event 1000 of partition 1, which was never emitted");
}

TEST_F(VerifierTest, NamesAccountsThatAreMissingOrThereTwice) {
  const Account first = shown_.accounts.front();
  shown_.accounts.front() = shown_.accounts.back();
  const Verdict verdict = judged(shown_);
  EXPECT_EQ(verdict.damages().size(), 2u);
  EXPECT_EQ(verdict.count(Level::kOutput, Harm::kLost), 1u);
  EXPECT_EQ(verdict.count(Level::kOutput, Harm::kDuplicated), 1u);
  EXPECT_THAT(verdict.text(),
              HasSubstr(concat("the account of partition ", first.partition, ", key ", first.key)));
}

TEST_F(VerifierTest, TellsStateAndOutputApart) {
  shown_.accounts[0].tally.count += 1;
  const Verdict verdict = judged(shown_);
  EXPECT_EQ(verdict.damages().size(), 1u);
  EXPECT_EQ(verdict.count(Level::kState, Harm::kAltered), 1u);
}

TEST_F(VerifierTest, ReadsLaterCheckpointsLaterWhateverTheirSubtask) {
  write(Shown{{}, shown_.accounts});
  const std::vector<std::string> lines = lines_of(shown_.sightings);
  const fs::path folder = root() / "out" / "sightings";
  write(folder, "part-3-9.jsonl", {lines.begin(), lines.begin() + 20});
  write(folder, "part-1-10.jsonl", {lines.begin() + 20, lines.end()});
  write(folder, ".part-1-11.staged", {"not shown"});
  const Result<Verdict> verdict = judge(kPattern, root() / "out");
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->clean()) << verdict->text();
}

TEST_F(VerifierTest, TellsTheFirstOfEachKindAndHowManyThereAre) {
  shown_.sightings.clear();
  const Verdict verdict = judged(shown_);
  EXPECT_THAT(verdict.text(2), AllOf(HasSubstr("output: 88 lost\n  event 0 of partition 0\n"),
                                     HasSubstr("\n  and 86 more\n")));
}

TEST_F(VerifierTest, RefusesWhatIsNoSighting) {
  write(shown_);
  write(root() / "out" / "sightings", "part-0-2.jsonl", {"{\"occasion\":"});
  const Result<Verdict> verdict = judge(kPattern, root() / "out");
  ASSERT_FALSE(verdict);
  EXPECT_THAT(verdict.error().message(), HasSubstr("sightings"));
}

TEST_F(VerifierTest, ComparesTwoOutputsByteForByteInAnyOrder) {
  write(shown_, "right");
  std::ranges::reverse(shown_.sightings);
  write(shown_, "shown");
  const auto compared = [&] {
    return *difference(root() / "right" / "sightings", root() / "shown" / "sightings");
  };
  EXPECT_THAT(compared(), IsEmpty());
  shown_.sightings.front().count += 7;
  write(shown_, "shown");
  EXPECT_THAT(compared(), AllOf(HasSubstr("missing"), HasSubstr("unexpected")));
}

}  // namespace
}  // namespace millrace::test
