#include "millrace/state/redistribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Elements = std::vector<std::string>;
using Pieces = Snapshot::Pieces;

StatePiece split(Elements elements) { return {.elements = std::move(elements)}; }
StatePiece united(Elements elements) { return {Redistribution::kUnion, std::move(elements)}; }

std::vector<Snapshot> redistributed(const std::vector<Pieces>& before, std::uint32_t parallelism) {
  std::vector<const Pieces*> pieces;
  for (const Pieces& of_subtask : before) pieces.push_back(&of_subtask);
  return redistribute(pieces, parallelism);
}

// What each subtask has of the piece "p".
std::vector<Elements> dealt(const std::vector<Pieces>& before, std::uint32_t parallelism) {
  std::vector<Elements> elements;
  for (const Snapshot& snapshot : redistributed(before, parallelism)) {
    const StatePiece* piece = snapshot.find("p");
    elements.push_back(piece ? piece->elements : Elements{"no piece"});
  }
  return elements;
}

TEST(Redistribution, GivesAsManySubtasksTheirOwn) {
  EXPECT_THAT(dealt({{{"p", split({"a", "b", "c"})}}, {{"p", split({})}}}, 2),
              ElementsAre(Elements{"a", "b", "c"}, Elements{}));
}

TEST(Redistribution, GivesNoPieceToWhoHadNone) {
  EXPECT_THAT(dealt({{{"p", split({"a"})}}, {}}, 2),
              ElementsAre(Elements{"a"}, Elements{"no piece"}));
}

TEST(Redistribution, DealsElementsInOrderAsEvenlyAsCanBe) {
  const std::vector<Pieces> before{{{"p", split({"a", "b", "c", "d"})}}, {{"p", split({"e"})}}};
  EXPECT_THAT(dealt(before, 1), ElementsAre(Elements{"a", "b", "c", "d", "e"}));
  EXPECT_THAT(dealt(before, 3), ElementsAre(Elements{"a"}, Elements{"b", "c"}, Elements{"d", "e"}));
  EXPECT_THAT(dealt(before, 7), ElementsAre(Elements{}, Elements{"a"}, Elements{"b"}, Elements{},
                                            Elements{"c"}, Elements{"d"}, Elements{"e"}));
}

TEST(Redistribution, GivesAUnionToAll) {
  const std::vector<Pieces> before{{{"p", united({"a"})}}, {{"p", united({"b", "c"})}}};
  for (const std::uint32_t parallelism : {1, 2, 3}) {
    for (const Elements& elements : dealt(before, parallelism)) {
      EXPECT_THAT(elements, ElementsAre("a", "b", "c"));
    }
  }
}

TEST(Redistribution, GivesACopyToEach) {
  const auto copy = [](Elements elements) {
    return StatePiece{Redistribution::kCopy, std::move(elements)};
  };
  const std::vector<Pieces> before{{{"p", copy({"a"})}}, {{"p", copy({"b", "c"})}}};
  EXPECT_THAT(dealt(before, 1), ElementsAre(Elements{"a"}));
  EXPECT_THAT(dealt(before, 2), ElementsAre(Elements{"a"}, Elements{"b", "c"}));
  EXPECT_THAT(dealt(before, 3), ElementsAre(Elements{"a"}, Elements{"b", "c"}, Elements{"a"}));
}

TEST(Redistribution, KeepsTheSchemaOfElements) {
  const std::vector<Pieces> before{
      {{"p", {.elements = {"a", "b"}, .schema = "A"}}, {"u", united({"x"})}}};
  for (const std::uint32_t parallelism : {1, 2}) {
    for (const Snapshot& snapshot : redistributed(before, parallelism)) {
      EXPECT_EQ(snapshot.find("p")->schema, "A");
      EXPECT_EQ(snapshot.find("u")->schema, "");
    }
  }
}

TEST(Redistribution, KeepsTheSchemaWhereASubtaskHadNoElements) {
  const Pieces some{{"p", {.elements = {"a", "b"}, .schema = "A"}}};
  const Pieces none{{"p", split({})}};
  for (const std::vector<Pieces>& before : {std::vector{some, none}, std::vector{none, some}}) {
    for (const std::uint32_t parallelism : {1, 3}) {
      for (const Snapshot& snapshot : redistributed(before, parallelism)) {
        EXPECT_EQ(snapshot.find("p")->schema, "A");
      }
    }
  }
}

TEST(Redistribution, TreatsEachPieceForItself) {
  const auto after =
      redistributed({{{"p", split({"a", "b"})}, {"u", united({"x"})}}, {{"q", split({"c"})}}}, 1);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].pieces().size(), 3U);
  EXPECT_THAT(after[0].find("p")->elements, ElementsAre("a", "b"));
  EXPECT_THAT(after[0].find("q")->elements, ElementsAre("c"));
  EXPECT_EQ(after[0].find("u")->redistribution, Redistribution::kUnion);
}

TEST(Redistribution, OfNothingIsNothing) {
  EXPECT_THAT(redistributed({{}, {}}, 3)[0].pieces(), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
