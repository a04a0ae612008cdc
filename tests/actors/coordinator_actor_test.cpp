#include "millrace/actors/coordinator_actor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <caf/actor_system.hpp>

#include <future>

#include "millrace/actors/system_config.h"
#include "plan/sample_plans.h"
#include "support/actor_probe.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

const std::string kJob(32, 'a');
constexpr LinkId kLink{1};
constexpr LinkId kOtherLink{2};

// The test is the coordinator's links.
class CoordinatorActorTest : public testing::Test {
 protected:
  CoordinatorActorTest() {
    coordinator_ = system_.spawn<CoordinatorActor>(CoordinatorSettings{
        .clock = &clock_,
        .executor = &executor_,
        .spawn_links =
            [this](const caf::actor& owner) {
              owners_->add(owner);
              return links_.actor();
            },
        .listen = {"127.0.0.1", 0},
        .listening = [](const Result<LinkAddress>&) {},
        .events = {.watch = [](const std::string&, const JobView&) {},
                   .waits = [](const std::string&, const std::string&) {},
                   .ended = [ended = ended_](const std::string& job,
                                             const Status&) { ended->add(job); }}});
    links_.send(coordinator_, Lead{LeaderEpoch(1)});
  }
  ~CoordinatorActorTest() override {
    caf::anon_send_exit(coordinator_, caf::exit_reason::user_shutdown);
  }

  void report(LinkId link, const WorkerReport& report) {
    const Result<std::string> body = encode(report);
    ASSERT_TRUE(body);
    std::string kind_and_body(1, static_cast<char>(FrameKind::kControl));
    kind_and_body += *body;
    links_.send(coordinator_, ControlArrived{link, {std::move(kind_and_body)}});
  }
  void register_worker(LinkId link, const std::string& identity) {
    links_.send(coordinator_, LinkUp{link, {.role = Role::kWorker, .identity = identity}});
    report(link, RegisterWorker{.slots = 1});
  }
  // Whatever was sent before is done when it returns.
  std::size_t workers() {
    auto count = std::make_shared<std::promise<std::size_t>>();
    links_.send(coordinator_,
                AskWorkers{[count](const auto& workers) { count->set_value(workers.size()); }});
    return count->get_future().get();
  }

  std::shared_ptr<KeptMessages<caf::actor>> owners_ = std::make_shared<KeptMessages<caf::actor>>();
  std::shared_ptr<KeptMessages<std::string>> ended_ = std::make_shared<KeptMessages<std::string>>();
  SystemConfig config_{1};
  caf::actor_system system_{config_};
  SystemClock clock_;
  ThreadExecutor executor_{1};
  ActorProbe<Listen, SendFrame> links_{system_};
  caf::actor coordinator_;
};

TEST_F(CoordinatorActorTest, HasAJobListenAgainWhereItCannot) {
  PlanBuilder builder = line({});
  auto plan = std::make_shared<const ExecutionPlan>(*make_execution_plan(*builder.build()));
  links_.send(coordinator_, RunJob{{.id = kJob, .epoch = LeaderEpoch(1), .plan = plan}});
  ASSERT_TRUE(owners_->next<caf::actor>()) << "of the links of workers";
  ASSERT_TRUE(links_.next<Listen>());
  const std::optional<caf::actor> registry = owners_->next<caf::actor>();
  ASSERT_TRUE(registry && links_.next<Listen>());
  links_.send(*registry, Listening{unavailable("Too many open files")});
  EXPECT_TRUE(links_.next<Listen>());
  EXPECT_FALSE(ended_->next<std::string>(1ms));
}

TEST_F(CoordinatorActorTest, ForgetsWhoAskedForWhatALostWorkerHasSaid) {
  register_worker(kLink, "one");
  register_worker(kOtherLink, "two");
  auto answers = std::make_shared<KeptMessages<std::string>>();
  const std::weak_ptr<KeptMessages<std::string>> held = answers;
  links_.send(coordinator_,
              AskLog{.job = "job",
                     .bytes = 1,
                     .asked = [](std::size_t) {},
                     .answered = [answers](std::string text) { answers->add(text); }});
  ASSERT_EQ(workers(), 2u);
  links_.send(coordinator_, LinkDown{kLink, "one", unavailable("cut")});
  report(kOtherLink, LogRead{.request = 2, .text = "hello"});
  EXPECT_EQ(answers->next<std::string>(), "hello");
  ASSERT_EQ(workers(), 1u);
  answers.reset();
  EXPECT_TRUE(held.expired()) << "a question to a worker that is gone is kept";
}

}  // namespace
}  // namespace millrace::detail
