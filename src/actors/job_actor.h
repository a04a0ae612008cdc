// The coordinator of one job as an actor. It only routes: what it hears becomes events of
// JobCoordinator, and what that asks for becomes messages to the job's hosts, calls of the ledger
// and of the clock. The ledger's calls block: the executor makes them, one at a time, and what
// comes of them are messages.
//
// A job that another coordinator had may run still. Then its hosts are looked for first, and heard;
// if all of its tasks are there they are adopted, and otherwise it begins anew.
//
// A host is whoever says HostReady; the job begins once so many as it needs have. Where its tasks
// go is asked for at each attempt: of what places them on the hosts that there are; or of an actor
// that gives out slots, whose hosts are then waited for.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/coordinator_system.h"
#include "millrace/actors/messages.h"
#include "millrace/coordination/adoption.h"
#include "millrace/coordination/job_coordinator.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"

namespace millrace::detail {

// What is needed to adopt tasks: the mark of the plan that their hosts have, and the time in which
// they must be found.
struct Takeover {
  std::uint64_t plan = 0;
  std::chrono::nanoseconds patience{0};
};

struct JobActorSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  ExecutionSettings execution;
  std::shared_ptr<void> stores = nullptr;  // that the settings borrow, if nobody else keeps them
  std::uint64_t seed = 0;
  std::size_t hosts = 1;  // that must be there for the job to begin
  PlaceTasks place = spread;
  caf::actor slots = nullptr;  // gives them out, if there is such an actor; StartJob begins the job
  bool has_run = false;        // another coordinator has had it: what keeps it may pass
  std::optional<Takeover> takeover = {};           // its tasks may run
  std::string key = {};                            // under which it is known; empty: its name
  std::function<void(const JobView&)> watch = {};  // called when it changes, on the actor's thread
  std::function<void(Status)> report;              // called once, on the actor's thread, at the end
};

class JobActor final : public ActorBase {
 public:
  JobActor(caf::actor_config& config, std::shared_ptr<const ExecutionPlan> plan,
           JobActorSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  using Commands = JobCoordinator::Commands;

  static constexpr std::chrono::milliseconds kPauseOfClaims{500};

  struct Host {
    HostAddress address;
    caf::actor actor;
  };

  // An event of the coordinator that a message is as it stands.
  template <class Message>
  auto hear() {
    return [this](Message& message) { take(message); };
  }
  template <class Message>
  void take(Message& message) {
    if (adoption_) return hear_of_tasks(message);
    follow(coordinator_->hear(std::move(message), now()));
  }
  Moment now() const { return {settings_.clock->monotonic(), settings_.clock->now()}; }
  void start();
  void begin();
  void look_for_tasks();
  void read_attempts();
  void on_attempts(const Result<std::vector<AttemptId>>& attempts);
  void drop_useless_hosts(const RunningTasks& running);
  template <class Message>
  void hear_of_tasks(const Message& message) {
    adoption_->hear(message);
    adopt_if_complete();
  }
  void adopt_if_complete();
  void on_claimed(const Result<Attempt>& attempt);
  void on_ready(const HostReady& ready, const caf::actor& host);
  void on_progress(const HostProgress& progress);
  bool is_expected(const HostReady& ready) const;
  void on_lost(const HostLost& lost);
  void on_lost_unheard(const HostLost& lost);
  bool is_granted(const std::string& identity) const;
  void on_allocated(const AttemptAllocated& allocated);
  Result<Placement> place(std::size_t region) const;
  void on_granted(SlotsGranted& granted);
  void on_slots_timed_out(const SlotsTimedOut& late);
  void go_on_in_slots();
  void on_missed(const HostMissed& missed);
  void miss_known_host(const std::string& identity, const Error& error);
  bool waits_for_record(const Error& error);
  bool is_alive() const;
  void give_up_slots(const Error& error);
  void show();
  template <class Message>
  void tell(const std::string& host, Message message);
  void follow(Commands commands);
  void schedule();
  void later(std::chrono::nanoseconds delay, caf::message message);  // to this actor

  void perform(AllocateAttempt& allocate);
  void perform(WriteMetadata& write);
  void perform(SwapPointer& swap);
  void perform(MakeSavepoint& make);
  void perform(WriteSavepoint& write);
  void perform(RecordEnd& record);
  void perform(RemoveUnused& remove);
  void perform(DiscardSavepoint& discard);
  void perform(OpenRegion& open);
  void perform(StartRegion& start);
  void perform(CloseRegion& close);
  void perform(DropHost& drop);
  void perform(const ToAllHosts& message);
  void perform(WaitToRestart& wait);
  void perform(TellSavepoint& tell);
  void perform(TellRestart& tell);
  void perform(TellDeclined& tell);
  void perform(TellEnd& tell);

  void give_up_host(const std::string& identity);
  bool is_deposed(const Error& error);

  // Has the executor call it, after the calls before; what it returns comes back as a message.
  template <class Call>
  void with_ledger(Call call);
  void request_savepoint(RequestSavepoint& request);

  std::shared_ptr<const ExecutionPlan> plan_;
  JobActorSettings settings_;
  std::unique_ptr<JobCoordinator> coordinator_;
  std::map<std::string, Host> hosts_;  // by identity
  bool started_ = false;
  std::optional<Adoption> adoption_;                 // while it is not decided
  bool claiming_ = false;                            // to adopt
  bool takeover_over_ = false;                       // no more hosts are waited for
  std::vector<AttemptAllocated> unplaced_;           // wait for slots
  std::optional<std::vector<std::string>> granted_;  // the hosts of the slots that were asked for
  std::uint64_t grants_ = 0;
  std::vector<TaskProgress> progress_;  // by SubtaskId, of the last attempt that was heard of
  std::optional<RecordEnd> end_;        // that is to be recorded
  JobView view_;
  JobView shown_;
  std::shared_ptr<JobLedger> ledger_;
  SerialExecutor ledger_calls_;
  RunningJob::SavepointTaken savepoint_taken_;
  std::shared_ptr<CheckpointStore> savepoint_;
  std::uint64_t due_number_ = 0;
  std::optional<std::chrono::nanoseconds> due_at_;  // when the CheckpointsDue that counts comes
};

}  // namespace millrace::detail
