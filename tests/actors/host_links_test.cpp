#include "millrace/actors/host_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostLinks, AreCompleteAtOnceWhereNoneIsNeeded) {
  HostLinks links;
  EXPECT_TRUE(links.complete(AttemptId(1)));
  links.need(AttemptId(1), {});
  EXPECT_TRUE(links.complete(AttemptId(1)));
}

TEST(HostLinks, AreCompleteOnceEachHostHasOne) {
  HostLinks links;
  links.need(AttemptId(1), {"a", "b"});
  EXPECT_THAT(links.on_up("a", {LinkId(3)}), ElementsAre(AttemptId(1)));
  EXPECT_FALSE(links.complete(AttemptId(1)));
  EXPECT_THAT(links.on_up("c", {LinkId(4)}), IsEmpty());
  EXPECT_THAT(links.on_up("b", {LinkId(5)}), ElementsAre(AttemptId(1)));
  EXPECT_TRUE(links.complete(AttemptId(1)));
  EXPECT_EQ(links.link(AttemptId(1), "b").id, LinkId(5));
}

TEST(HostLinks, KeepTheLinkThatAnAttemptBeganWith) {
  HostLinks links;
  links.need(AttemptId(1), {"a"});
  (void)links.on_up("a", {LinkId(3)});
  EXPECT_THAT(links.on_up("a", {LinkId(4)}), IsEmpty());
  EXPECT_EQ(links.link(AttemptId(1), "a").id, LinkId(3));
  links.need(AttemptId(2), {"a"});
  EXPECT_THAT(links.on_up("a", {LinkId(4)}), ElementsAre(AttemptId(2)));
}

TEST(HostLinks, TellWhoHasALink) {
  HostLinks links;
  links.need(AttemptId(1), {"a"});
  links.need(AttemptId(2), {"a", "b"});
  links.need(AttemptId(3), {"b"});
  (void)links.on_up("a", {LinkId(3)});
  (void)links.on_up("b", {LinkId(4)});
  EXPECT_THAT(links.attempts_with(LinkId(3)), ElementsAre(AttemptId(1), AttemptId(2)));
  links.forget(AttemptId(1));
  EXPECT_THAT(links.attempts_with(LinkId(3)), ElementsAre(AttemptId(2)));
  EXPECT_THAT(links.attempts_with(LinkId(9)), IsEmpty());
}

TEST(HostLinks, AreUselessOnceNoAttemptHasThem) {
  HostLinks links;
  links.need(AttemptId(1), {"a", "b", "c"});
  (void)links.on_up("a", {LinkId(3)});
  (void)links.on_up("b", {LinkId(4)});
  links.need(AttemptId(2), {"b"});
  (void)links.on_up("b", {LinkId(4)});
  links.forget(AttemptId(1));
  EXPECT_THAT(links.take_useless({"a"}), IsEmpty()) << "the next attempt may want it";
  EXPECT_THAT(links.take_useless({"d"}), ElementsAre(LinkId(3)));
  EXPECT_THAT(links.take_useless({"d"}), IsEmpty());
  links.forget(AttemptId(2));
  EXPECT_THAT(links.take_useless({"d"}), ElementsAre(LinkId(4)));
}

TEST(HostLinks, TellWhoWaitsForALinkThatWillNotBe) {
  HostLinks links;
  links.need(AttemptId(1), {"a"});
  (void)links.on_up("a", {LinkId(3)});
  links.need(AttemptId(2), {"a"});
  EXPECT_THAT(links.on_failed("a"), ElementsAre(AttemptId(2)));
  EXPECT_THAT(links.on_failed("b"), IsEmpty());
}

}  // namespace
}  // namespace millrace::detail
