#include "millrace/coordination/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Slots : public testing::Test {
 protected:
  template <class Command>
  static std::vector<Command> only(const Dispatcher::Commands& commands) {
    std::vector<Command> some;
    for (const DispatchCommand& command : commands) {
      if (const auto* one = std::get_if<Command>(&command)) some.push_back(*one);
    }
    return some;
  }
  static std::vector<HostId> hosts_in(const Dispatcher::Commands& commands) {
    const auto grants = only<GrantSlots>(commands);
    return grants.size() == 1 ? grants.front().host_of : std::vector<HostId>();
  }
  std::uint32_t free() const {
    std::uint32_t free = 0;
    for (const auto& [id, room] : dispatcher_.workers()) free += room.free;
    return free;
  }

  Slots() { EXPECT_THAT(dispatcher_.jobs_known(), IsEmpty()); }

  Dispatcher dispatcher_{LeaderEpoch(3)};
};

TEST_F(Slots, AreSpreadOverWorkersWithAHostOnEach) {
  dispatcher_.worker_came("a", 2, {});
  dispatcher_.worker_came("b", 2, {});
  const auto commands = dispatcher_.need_slots("job", 3);
  EXPECT_EQ(only<LaunchHost>(commands).size(), 2);
  EXPECT_THAT(dispatcher_.workers_of("job"), ElementsAre("a", "b", "a"));
  const std::vector<HostId> hosts = hosts_in(commands);
  ASSERT_EQ(hosts.size(), 3);
  EXPECT_EQ(hosts[0], hosts[2]);
  EXPECT_NE(hosts[0], hosts[1]);
  EXPECT_EQ(hosts[0].number >> 32, 3) << "another leader may give the same number";
  EXPECT_EQ(free(), 1);
}

TEST_F(Slots, AreAllOrNoneAndWaitedFor) {
  dispatcher_.worker_came("a", 1, {});
  const auto lack = only<LackSlots>(dispatcher_.need_slots("large", 2));
  ASSERT_EQ(lack.size(), 1);
  EXPECT_EQ(lack[0].reason, "it waits for 2 slots: 1 of 1 in the cluster are free");
  EXPECT_EQ(free(), 1);
  EXPECT_EQ(hosts_in(dispatcher_.need_slots("small", 1)).size(), 1) << "it need not wait behind";
  EXPECT_THAT(only<LackSlots>(dispatcher_.worker_came("b", 1, {}))[0].reason, HasSubstr("1 of 2"));
  const auto commands = dispatcher_.release("small");
  EXPECT_EQ(only<EndHost>(commands).size(), 1);
  EXPECT_EQ(hosts_in(commands).size(), 2);
  EXPECT_EQ(free(), 0);
}

TEST_F(Slots, StayWhereTheyAreFromAttemptToAttempt) {
  dispatcher_.worker_came("a", 2, {});
  dispatcher_.worker_came("b", 2, {});
  const std::vector<HostId> before = hosts_in(dispatcher_.need_slots("job", 2));
  const auto again = dispatcher_.need_slots("job", 2);
  EXPECT_THAT(only<LaunchHost>(again), IsEmpty());
  EXPECT_EQ(hosts_in(again), before);
}

TEST_F(Slots, GetAnotherHostWhenTheirsHasEnded) {
  dispatcher_.worker_came("a", 1, {});
  const HostId host = hosts_in(dispatcher_.need_slots("job", 1))[0];
  const auto ended = dispatcher_.host_ended("a", host, internal("killed"));
  ASSERT_EQ(only<MissHost>(ended).size(), 1);
  EXPECT_EQ(only<MissHost>(ended)[0].host, host);
  EXPECT_THAT(dispatcher_.host_ended("a", host, internal("killed")), IsEmpty()) << "it is known";
  const auto again = dispatcher_.need_slots("job", 1);
  ASSERT_EQ(only<LaunchHost>(again).size(), 1);
  EXPECT_NE(only<LaunchHost>(again)[0].host, host);
}

TEST_F(Slots, OfALostWorkerAreFoundElsewhere) {
  dispatcher_.worker_came("a", 1, {});
  dispatcher_.worker_came("b", 1, {});
  const std::vector<HostId> before = hosts_in(dispatcher_.need_slots("job", 1));
  ASSERT_THAT(dispatcher_.workers_of("job"), ElementsAre("a"));
  EXPECT_EQ(only<MissHost>(dispatcher_.worker_lost("a", unavailable("silent"))).size(), 1);
  const std::vector<HostId> after = hosts_in(dispatcher_.need_slots("job", 1));
  ASSERT_EQ(after.size(), 1);
  EXPECT_NE(after, before);
  EXPECT_THAT(dispatcher_.workers_of("job"), ElementsAre("b"));
}

TEST_F(Slots, AreWhereTheirStateWasIfThatWorkerReturns) {
  dispatcher_.worker_came("a", 1, {});
  dispatcher_.worker_came("b", 1, {});
  dispatcher_.need_slots("job", 2);
  ASSERT_THAT(dispatcher_.workers_of("job"), ElementsAre("a", "b"));
  dispatcher_.worker_lost("a", internal("killed"));
  dispatcher_.worker_lost("b", internal("killed"));
  dispatcher_.need_slots("job", 2);
  dispatcher_.worker_came("b", 1, {});
  dispatcher_.worker_came("a", 2, {});  // where there is more room now
  EXPECT_THAT(dispatcher_.workers_of("job"), ElementsAre("a", "b"));
}

TEST_F(Slots, OfAWorkerThatComesAgainAreComparedWithWhatRunsThere) {
  dispatcher_.worker_came("a", 3, {});
  const HostId lives = hosts_in(dispatcher_.need_slots("lives", 1))[0];
  const HostId dead = hosts_in(dispatcher_.need_slots("dead", 1))[0];
  const HostId unknown{"unknown", 7};
  const auto commands = dispatcher_.worker_came("a", 3, {lives, unknown});
  ASSERT_EQ(only<MissHost>(commands).size(), 1);
  EXPECT_EQ(only<MissHost>(commands)[0].host, dead);
  EXPECT_THAT(only<EndHost>(commands), ElementsAre(EndHost{"a", unknown}));
  EXPECT_EQ(free(), 1);
}

TEST_F(Slots, AreFreeAgainAfterTheEnd) {
  dispatcher_.worker_came("a", 2, {});
  const HostId host = hosts_in(dispatcher_.need_slots("job", 2))[0];
  EXPECT_THAT(only<EndHost>(dispatcher_.release("job")), ElementsAre(EndHost{"a", host}));
  EXPECT_EQ(free(), 2);
  EXPECT_THAT(dispatcher_.release("job"), IsEmpty());
  EXPECT_THAT(dispatcher_.worker_lost("nobody", unavailable("silent")), IsEmpty());
}

TEST_F(Slots, OfAHostThatIsGivenUpGetAnother) {
  dispatcher_.worker_came("a", 1, {});
  const HostId host = hosts_in(dispatcher_.need_slots("job", 1)).at(0);
  EXPECT_EQ(only<EndHost>(dispatcher_.give_up_host(host)), std::vector{EndHost("a", host)});
  EXPECT_THAT(dispatcher_.give_up_host(host), IsEmpty());
  EXPECT_NE(hosts_in(dispatcher_.need_slots("job", 1)).at(0), host);
}

// What another leader had had started.
class FoundHosts : public Slots {
 protected:
  FoundHosts() {
    dispatcher_ = Dispatcher(LeaderEpoch(4));
    dispatcher_.expect_hosts("job");
  }

  Dispatcher::Commands seek() { return dispatcher_.seek_hosts("job"); }

  const HostId mine_{"job", 7};
  const HostId other_{"other", 8};
};

TEST_F(FoundHosts, AreMovedToTheJobThatSeeksThemWheneverTheirWorkerComes) {
  EXPECT_THAT(dispatcher_.worker_came("a", 2, {mine_}), IsEmpty()) << "the job may be about to";
  EXPECT_EQ(only<MoveHost>(seek()), std::vector{MoveHost("a", mine_)});
  EXPECT_EQ(only<MoveHost>(dispatcher_.worker_came("b", 2, {{"job", 9}})),
            std::vector{MoveHost("b", {"job", 9})});
}

TEST_F(FoundHosts, AreMovedNowhereBeforeTheirJobIsReady) {
  EXPECT_THAT(dispatcher_.jobs_known(), IsEmpty());
  EXPECT_THAT(dispatcher_.worker_came("a", 2, {mine_}), IsEmpty());
  EXPECT_EQ(only<MoveHost>(seek()), std::vector{MoveHost("a", mine_)});
}

TEST_F(FoundHosts, OfNoJobAreEndedOnceAllJobsAreKnown) {
  dispatcher_.worker_came("a", 2, {mine_, other_});
  seek();
  EXPECT_EQ(only<EndHost>(dispatcher_.jobs_known()), std::vector{EndHost("a", other_)});
  EXPECT_EQ(only<EndHost>(dispatcher_.worker_came("b", 1, {{"other", 9}})).size(), 1);
}

TEST_F(FoundHosts, KeepTheirSlots) {
  dispatcher_.worker_came("a", 3, {mine_});
  dispatcher_.worker_came("b", 1, {{"job", 9}, {"job", 10}});
  seek();
  const auto commands = dispatcher_.keep_hosts("job", {mine_, {"job", 9}, mine_});
  EXPECT_EQ(only<EndHost>(commands), std::vector{EndHost("b", {"job", 10})});
  EXPECT_EQ(free(), 1);
  dispatcher_.jobs_known();
  EXPECT_THAT(hosts_in(dispatcher_.need_slots("job", 3)),
              ElementsAre(mine_, HostId("job", 9), mine_));
  EXPECT_EQ(only<EndHost>(dispatcher_.release("job")).size(), 2);
  EXPECT_EQ(free(), 4);
}

TEST_F(FoundHosts, AreEndedWhereTheJobBeginsAnew) {
  dispatcher_.worker_came("a", 1, {mine_});
  dispatcher_.jobs_known();
  seek();
  EXPECT_EQ(only<EndHost>(dispatcher_.keep_hosts("job", {})), std::vector{EndHost("a", mine_)});
  const auto commands = dispatcher_.need_slots("job", 1);
  EXPECT_EQ(only<LaunchHost>(commands).size(), 1);
  EXPECT_NE(hosts_in(commands).at(0), mine_);
}

TEST_F(FoundHosts, HoldNobodyUpOnceTheirJobHasGivenThemUp) {
  dispatcher_.worker_came("a", 1, {mine_});
  dispatcher_.jobs_known();
  dispatcher_.need_slots("new", 1);
  EXPECT_EQ(hosts_in(dispatcher_.keep_hosts("job", {})).size(), 1);
}

TEST_F(FoundHosts, HaveTheSlotsOfAllWaitUntilTheyAreDecided) {
  dispatcher_.worker_came("a", 1, {mine_});
  EXPECT_THAT(dispatcher_.need_slots("new", 1), IsEmpty());
  seek();
  EXPECT_THAT(dispatcher_.jobs_known(), IsEmpty());
  EXPECT_THAT(only<GrantSlots>(dispatcher_.keep_hosts("job", {mine_})), IsEmpty());
  EXPECT_EQ(hosts_in(dispatcher_.release("job")).size(), 1) << "now it is the turn of the new one";
}

TEST_F(FoundHosts, AreMissedWhenTheyEndOrTheirWorkerDoes) {
  dispatcher_.worker_came("a", 1, {mine_});
  dispatcher_.worker_came("b", 1, {{"job", 9}});
  seek();
  EXPECT_EQ(only<MissHost>(dispatcher_.host_ended("a", mine_, unavailable("gone"))).at(0).host,
            mine_);
  EXPECT_EQ(only<MissHost>(dispatcher_.worker_lost("b", unavailable("gone"))).at(0).host.number, 9);
}

}  // namespace
}  // namespace millrace::detail
