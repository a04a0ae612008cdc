#include "millrace/state/operator_list_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/state/broadcast_state.h"
#include "millrace/state/redistribution.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace before {
struct Offset {
  std::string file;
  std::int32_t at = 0;
};
}  // namespace before

struct Offset {
  std::int64_t at = 0;
  std::string file;
  std::int64_t lines = -1;
};

struct Numbers : OperatorStates {
  OperatorListState<std::int64_t> split{*this, "split"};
  UnionListState<std::int64_t> all{*this, "all"};
};

template <class States>
Snapshot snapshot_of(const States& states) {
  Snapshot snapshot;
  const Status taken = states.snapshot_states(snapshot);
  EXPECT_TRUE(taken) << taken.error().message();
  return snapshot;
}
template <class States>
std::string refusal_of(States& states, const Snapshot& snapshot) {
  const Status restored = states.restore_states(snapshot);
  EXPECT_FALSE(restored);
  return restored ? "" : restored.error().message();
}

TEST(OperatorState, IsAListInMemory) {
  Numbers numbers;
  EXPECT_TRUE(numbers.split.empty());
  numbers.split.add(1);
  numbers.split.edit().push_back(2);
  EXPECT_THAT(numbers.split.values(), ElementsAre(1, 2));
  numbers.split.assign({3});
  EXPECT_EQ(numbers.split.size(), 1U);
  numbers.split.clear();
  EXPECT_THAT(numbers.split.values(), IsEmpty());
}

TEST(OperatorState, ComesBackFromASnapshot) {
  Numbers numbers;
  numbers.split.assign({1, 2});
  numbers.all.assign({3});
  Numbers next;
  next.split.add(9);  // gives way to what is restored
  ASSERT_TRUE(next.restore_states(snapshot_of(numbers)));
  EXPECT_THAT(next.split.values(), ElementsAre(1, 2));
  EXPECT_THAT(next.all.values(), ElementsAre(3));
}

TEST(OperatorState, IsDealtToAnotherNumberOfInstances) {
  Numbers a;
  Numbers b;
  a.split.assign({1, 2, 3});
  b.split.assign({4});
  a.all.assign({5});
  b.all.assign({6});
  const Snapshot of_a = snapshot_of(a);
  const Snapshot of_b = snapshot_of(b);
  const std::vector<const Snapshot::Pieces*> pieces{&of_a.pieces(), &of_b.pieces()};
  std::vector<std::vector<std::int64_t>> split;
  for (const Snapshot& snapshot : redistribute(pieces, 3)) {
    Numbers next;
    ASSERT_TRUE(next.restore_states(snapshot));
    split.emplace_back(next.split.values().begin(), next.split.values().end());
    EXPECT_THAT(next.all.values(), ElementsAre(5, 6)) << "all of them in each";
  }
  EXPECT_THAT(split, ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3, 4)));
}

TEST(OperatorState, IsEmptyWhereACheckpointDoesNotKnowIt) {
  Numbers numbers;
  EXPECT_TRUE(numbers.restore_states(Snapshot()));
  EXPECT_TRUE(numbers.split.empty());
}

TEST(OperatorState, ReadsWhatAnOlderTypeWrote) {
  struct Old : OperatorStates {
    OperatorListState<before::Offset> offsets{*this, "offsets"};
  } old;
  struct New : OperatorStates {
    OperatorListState<Offset> offsets{*this, "offsets"};
  } now;
  old.offsets.add({"a", 7});
  old.offsets.add({"b", 8});
  ASSERT_TRUE(now.restore_states(snapshot_of(old)));
  ASSERT_EQ(now.offsets.size(), 2U);
  EXPECT_EQ(now.offsets.values()[1].file, "b");
  EXPECT_EQ(now.offsets.values()[1].at, 8);
  EXPECT_EQ(now.offsets.values()[1].lines, -1) << "a new field has its default";
  EXPECT_THAT(
      refusal_of(old, snapshot_of(now)),
      testing::AllOf(HasSubstr("state 'offsets': "), HasSubstr("int64"), HasSubstr("int32")));
}

// With another number of instances each time.
TEST(OperatorState, IsKeptWhileItIsNotDeclared) {
  struct Other : OperatorStates {
    OperatorListState<std::int64_t> other{*this, "other"};
  };
  Numbers a;
  Numbers b;
  a.split.assign({1, 2, 3});
  b.split.assign({4});
  a.all.assign({5});
  b.all.assign({6});
  Snapshot of_a = snapshot_of(a);
  of_a.put(".engine", "not the function's");
  const Snapshot of_b = snapshot_of(b);
  std::vector<Snapshot> kept = redistribute(std::vector{&of_a.pieces(), &of_b.pieces()}, 3);
  for (const std::uint32_t parallelism : {1U, 2U}) {
    std::vector<Snapshot> written;
    for (const Snapshot& snapshot : kept) {
      Other other;
      ASSERT_TRUE(other.restore_states(snapshot));
      written.push_back(snapshot_of(other));
      EXPECT_EQ(written.back().find(".engine"), nullptr);
    }
    std::vector<const Snapshot::Pieces*> pieces;
    for (const Snapshot& snapshot : written) pieces.push_back(&snapshot.pieces());
    kept = redistribute(pieces, parallelism);
  }
  std::vector<std::int64_t> split;
  for (const Snapshot& snapshot : kept) {
    Numbers again;
    ASSERT_TRUE(again.restore_states(snapshot));
    split.insert(split.end(), again.split.values().begin(), again.split.values().end());
    EXPECT_THAT(again.all.values(), ElementsAre(5, 6)) << "all of them once in each";
  }
  EXPECT_THAT(split, ElementsAre(1, 2, 3, 4));
}

TEST(OperatorState, RefusesWhatWasDealtInAnotherWay) {
  struct Union : OperatorStates {
    UnionListState<std::int64_t> numbers{*this, "split"};
  } other;
  EXPECT_EQ(refusal_of(other, snapshot_of(Numbers())),
            "state 'split': it was written as an even split over the subtasks and is declared as a "
            "union now; declare it as it was, or under another name");
}

TEST(OperatorState, RefusesDamagedElements) {
  Numbers numbers;
  const std::string schema = "int64";
  Snapshot snapshot;
  snapshot.put("split", StatePiece{.elements = {"short"}, .schema = schema});
  EXPECT_THAT(refusal_of(numbers, snapshot), HasSubstr("state 'split': "));
  snapshot.put("split", StatePiece{.elements = {"123456789"}, .schema = schema});
  EXPECT_EQ(refusal_of(numbers, snapshot), "state 'split': bytes follow the end of an element");
  snapshot.put("split", StatePiece{.elements = {"12345678"}, .schema = "no schema"});
  EXPECT_THAT(refusal_of(numbers, snapshot), HasSubstr("state 'split': "));
}

TEST(OperatorState, IsToldApartByItsName) {
  EXPECT_TRUE(Numbers().check_names());
  struct Twice : OperatorStates {
    OperatorListState<std::int64_t> a{*this, "a"};
    UnionListState<std::int64_t> b{*this, "a"};
  } twice;
  EXPECT_EQ(twice.check_names().error(),
            invalid_argument("two states are named 'a'; a name tells the states of an operator "
                             "apart"));
  struct Dotted : OperatorStates {
    OperatorListState<std::int64_t> a{*this, ".splits"};
  } dotted;
  EXPECT_EQ(dotted.check_names().error(),
            invalid_argument("a state is named '.splits'; give it a name that does not begin with "
                             "a dot"));
}

struct Writer : BroadcastWriter {};

struct Rules : OperatorStates {
  BroadcastState<std::string, std::int64_t> rules{*this, "rules"};
};

TEST(BroadcastState, IsAMapThatAWriterChanges) {
  Rules rules;
  const Writer writer;
  rules.rules.put(writer, "b", 2);
  rules.rules.put(writer, "a", 1);
  rules.rules.edit(writer, "c") += 3;
  EXPECT_EQ(*rules.rules.find("a"), 1);
  EXPECT_EQ(rules.rules.find("z"), nullptr);
  EXPECT_EQ(rules.rules.value_or("z", 7), 7);
  EXPECT_TRUE(rules.rules.contains("c"));
  EXPECT_THAT(rules.rules,
              ElementsAre(testing::Pair("a", 1), testing::Pair("b", 2), testing::Pair("c", 3)));
  rules.rules.erase(writer, "b");
  EXPECT_EQ(rules.rules.size(), 2U);
  rules.rules.clear(writer);
  EXPECT_TRUE(rules.rules.empty());
}

TEST(BroadcastState, IsCopiedToNewInstances) {
  Rules a;
  Rules b;
  a.rules.put(Writer(), "x", 1);
  b.rules.put(Writer(), "x", 2);  // they differ only to be told apart here
  const Snapshot of_a = snapshot_of(a);
  const Snapshot of_b = snapshot_of(b);
  const std::vector<const Snapshot::Pieces*> pieces{&of_a.pieces(), &of_b.pieces()};
  for (const std::uint32_t parallelism : {1U, 2U, 5U}) {
    const std::vector<Snapshot> after = redistribute(pieces, parallelism);
    for (std::size_t i = 0; i < parallelism; ++i) {
      Rules next;
      ASSERT_TRUE(next.restore_states(after[i]));
      EXPECT_EQ(*next.rules.find("x"), i % 2 + 1) << i;
    }
  }
}

TEST(BroadcastState, IsKeptWhileItIsNotDeclared) {
  Rules rules;
  rules.rules.put(Writer(), "x", 1);
  Numbers other;
  ASSERT_TRUE(other.restore_states(snapshot_of(rules)));
  const Snapshot kept = snapshot_of(other);
  ASSERT_TRUE(other.restore_states(Snapshot())) << "what was restored before is forgotten";
  EXPECT_EQ(snapshot_of(other).find("rules"), nullptr);
  Rules again;
  ASSERT_TRUE(again.restore_states(kept));
  EXPECT_EQ(*again.rules.find("x"), 1);
}

TEST(BroadcastState, IsOneElement) {
  Rules rules;
  Snapshot snapshot = snapshot_of(rules);
  StatePiece piece = *snapshot.find("rules");
  piece.elements.push_back(piece.elements.front());
  snapshot.put("rules", piece);
  EXPECT_EQ(refusal_of(rules, snapshot), "state 'rules': it has 2 elements, not 1");
}

}  // namespace
}  // namespace millrace::detail
