#include "millrace/actors/host_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <caf/actor_system.hpp>

#include "millrace/actors/system_config.h"
#include "support/actor_probe.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

const LinkAddress kAnyPort{"127.0.0.1", 0};
const LinkAddress kBound{"127.0.0.1", 7};
const LinkAddress kBoundLater{"127.0.0.1", 8};

// The test is the registry's links.
class HostRegistryTest : public testing::Test {
 protected:
  using Told = KeptMessages<Result<LinkAddress>>;

  ~HostRegistryTest() override { caf::anon_send_exit(registry_, caf::exit_reason::user_shutdown); }

  void start(std::optional<std::chrono::milliseconds> pause) {
    registry_ = system_.spawn<HostRegistry>(HostRegistrySettings{
        .spawn_links = [this](const caf::actor&) { return links_.actor(); },
        .listen = kAnyPort,
        .listening = [told = told_](Result<LinkAddress> address) { told->add(std::move(address)); },
        .pause = pause});
  }
  Result<LinkAddress> told() {
    return told_->next<Result<LinkAddress>>().value_or(internal("nothing was told"));
  }
  // What comes of the next attempt.
  void answer(Result<LinkAddress> address) {
    ASSERT_TRUE(links_.next<Listen>());
    links_.send(registry_, Listening{std::move(address)});
  }

  SystemConfig config_{1};
  caf::actor_system system_{config_};
  std::shared_ptr<Told> told_ = std::make_shared<Told>();
  ActorProbe<Listen, StopLinks> links_{system_};
  caf::actor registry_;
};

TEST_F(HostRegistryTest, TriesAgainWhereItCannotListen) {
  start(1ms);
  answer(unavailable("Too many open files"));
  answer(unavailable("Too many open files"));
  answer(kBound);
  EXPECT_EQ(told().value(), kBound);
}

TEST_F(HostRegistryTest, ListensElsewhereWhenItsSocketIsClosed) {
  start(1ms);
  answer(kBound);
  EXPECT_EQ(told().value(), kBound);
  links_.send(registry_, Listening{unavailable("the socket was closed")});
  answer(kBoundLater);
  EXPECT_EQ(told().value(), kBoundLater);
}

TEST_F(HostRegistryTest, SaysThatItCannotListenWhereNobodyWaits) {
  start(std::nullopt);
  answer(unavailable("Address already in use"));
  EXPECT_EQ(told().error(), unavailable("Address already in use"));
}

}  // namespace
}  // namespace millrace::detail
