// What a host does whose coordinator is at the other end of a link.
#include "millrace/actors/task_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <caf/actor_system.hpp>

#include "millrace/actors/system_config.h"
#include "millrace/coordination/host_codec.h"
#include "plan/sample_plans.h"
#include "support/actor_probe.h"

namespace millrace::detail {
namespace {

const LinkAddress kCoordinator{"127.0.0.1", 7};
constexpr LinkId kControl{1};

ExecutionPlan two_subtasks() {
  PlanBuilder builder = line({});
  builder.set_parallelism(2);
  return *make_execution_plan(*builder.build());
}

// The test is the host's links. The tasks wait for ever for where they are to go on from.
class LinkedTaskHostTest : public testing::Test {
 protected:
  struct Never final : Executor {
    void execute(std::function<void()>) override {}
  };

  LinkedTaskHostTest() {
    auto job = std::make_shared<const DeployedJob>(DeployedJob{two_subtasks(), {}});
    host_ = system_.spawn<TaskHost>(
        make_blueprints(job),
        TaskHostSettings{.clock = &clock_,
                         .executor = &never_,
                         .linked = LinkedHost{
                             .spawn_links = [this](const caf::actor&) { return links_.actor(); },
                             .outlives_coordinator = true,
                             .heartbeat = std::chrono::milliseconds(1)}});
    links_.send(host_, ServeOver{{"127.0.0.1", 0}, kCoordinator});
    links_.send(host_, Listening{LinkAddress{"127.0.0.1", 8}});
    EXPECT_TRUE(links_.next<ConnectLink>());
    links_.send(host_, LinkUp{kControl, {.role = Role::kCoordinator}, kCoordinator});
  }
  ~LinkedTaskHostTest() override { caf::anon_send_exit(host_, caf::exit_reason::user_shutdown); }

  void command(HostCommand command) {
    const Result<std::string> body = encode(command);
    ASSERT_TRUE(body);
    std::string kind_and_body(1, static_cast<char>(FrameKind::kControl));
    kind_and_body += *body;
    links_.send(host_, ControlArrived{kControl, {std::move(kind_and_body)}});
  }
  // Waits until its heartbeats speak of tasks.
  bool has_tasks() {
    while (const std::optional<SetProgress> progress = links_.next<SetProgress>()) {
      const Result<HostReport> report = decode_host_report(progress->bytes);
      if (report && !std::get<HostProgress>(*report).tasks.empty()) return true;
    }
    return false;
  }

  SystemConfig config_{1};
  caf::actor_system system_{config_};
  SystemClock clock_;
  Never never_;
  ActorProbe<ConnectLink, SetProgress, CloseAttempt> links_{system_};
  caf::actor host_;
};

// A coordinator that gives a host up has no more to say to it.
TEST_F(LinkedTaskHostTest, ClosesTasksThoughTheLinkIsLostRightBehindTheOrder) {
  command(OpenTasks{.attempt = AttemptId(1),
                    .origin = "somewhere",
                    .tasks = {{SubtaskId(0), {}}},
                    .hosts = {{"another", "10.0.0.2", 1}},
                    .elsewhere = {{SubtaskId(1), 0}}});
  ASSERT_TRUE(has_tasks());
  command(CloseTasks{AttemptId(1)});
  links_.send(host_, LinkDown{kControl, "coordinator", unavailable("the host is given up")});
  const std::optional<CloseAttempt> closed = links_.next<CloseAttempt>();
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->attempt.attempt, AttemptId(1));
}

}  // namespace
}  // namespace millrace::detail
