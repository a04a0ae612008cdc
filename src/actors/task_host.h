// Makes a job's tasks and their enumerators from its code, as the coordinator says, connects them
// and answers for them. It only routes: what they report goes on to the coordinator, which decides.
//
// Where the job has other hosts it owns the links of its process: it has one with each host that
// its tasks have channels with, before they are made, and when it is lost they fail. Receivers
// stand before it says that a task is open.
//
// It remembers how its tasks are. Where it outlives its coordinator they run on without one;
// whoever has the job next is told of them, and decides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/host_links.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/coordination/worker/crash_page.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/plan/execution_settings.h"

namespace millrace::detail {

// Of a host whose job has others.
struct LinkedHost {
  JobId job{};
  std::function<caf::actor(caf::actor owner)> spawn_links;
  std::shared_ptr<BytePool> pool;  // that the links have too
  // Called when the host has ended: its coordinator is gone, or was never found.
  std::function<void(const Error& error)> ended = [](const Error&) {};
  bool outlives_coordinator = false;  // somebody will tell it who is the next
  std::uint64_t plan = 0;             // mark of the plan, for that one
  std::chrono::nanoseconds heartbeat = std::chrono::seconds(2);  // the interval of its links
};

struct TaskHostSettings {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Logger log;
  ExecutionSettings execution;
  bool blocking_tasks_have_threads = true;  // false where one thread runs everything, as it chooses
  std::string identity = "local";
  CrashPage* crash_page = nullptr;                  // null: there is none
  std::optional<LinkedHost> linked = std::nullopt;  // none: it has all of the job's tasks
};

class TaskHost final : public ActorBase {
 public:
  TaskHost(caf::actor_config& config, std::vector<TaskBlueprint> blueprints,
           TaskHostSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  // Until it is told to close.
  struct Attempt {
    OpenTasks order;  // what a task goes on from is taken out when it is made
    bool looks_for_origin = false;
    std::shared_ptr<CheckpointStore> origin = nullptr;
    bool made = false;                                // its tasks are there
    bool failed = false;                              // before that
    std::map<SubtaskId, std::string> elsewhere = {};  // hosts of the region's other tasks
    std::map<SubtaskId, caf::actor> relays = {};      // between a reader and its enumerator
  };

  // What is told to the coordinator, if there is one, and to all tasks, as it stands.
  template <class Message>
  void report(Message message) {
    note(message);
    if (coordinator_) send(coordinator_, std::move(message));
  }
  template <class Message>
  auto pass_on() {
    return [this](Message& message) { report(std::move(message)); };
  }
  template <class Message>
  void tell_all(const Message& message) {
    for (const caf::actor& task : tasks_) {
      if (task) send(task, message);
    }
  }

  // --- what the coordinator commands ---
  // The word of whoever had the job before may still be under way.
  template <class Command>
  auto if_from_coordinator() {
    return [this](Command& command) {
      if (current_sender() == coordinator_) obey(command);
    };
  }
  void obey(OpenTasks& order) { open(order); }
  void obey(const StartTasks& order) { start(order.attempt); }
  void obey(const Trigger& order) { trigger(order); }
  void obey(const CompleteCheckpoint& order) { tell_all(order); }
  void obey(const AbortCheckpoint& order) { tell_all(order); }
  void obey(const ResumeSources& order) { tell_all(order); }
  void obey(const Drain& order);

  // --- what is known of tasks ---
  void note(const TaskOpened&) {}  // one runs when all of the region do
  void note(const TaskFinished& finished) { note(finished.from, TaskCondition::kFinished); }
  void note(const TaskFailed& failed);
  void note(const TaskClosed& closed);
  void note(const EnumeratorFailed& failed);
  void note(const CheckpointAcknowledged&) {}
  void note(const CheckpointDeclined&) {}
  void note(const CheckpointCommitted&) {}
  void note(const SplitsAcknowledged&) {}
  void note(const TaskAddress& task, TaskCondition condition);
  HostReady ready() const;
  void note_progress();

  // --- attempts ---
  void open(OpenTasks& order);
  void leave_useless_links(const OpenTasks& order);
  Status check_order(const OpenTasks& order) const;
  void look_for_origin(const OpenTasks& order);
  void on_origin(OriginFound& found);
  void go_on(AttemptId id);
  void make_tasks(Attempt& attempt);
  void spawn_task(TaskOrder& task, const Attempt& attempt);
  void spawn_enumerator(EnumeratorOrder& order, AttemptId attempt);
  void spawn_relays(Attempt& attempt);
  void spawn_relay(Attempt& attempt, SubtaskId reader, const std::string& host, caf::actor local);
  void connect(const Attempt& attempt);
  void connect(const Attempt& attempt, SubtaskId subtask);
  TaskStart start_of(const Attempt& attempt) const;
  void start(AttemptId attempt);
  template <class Message>
  void tell_tasks(const Attempt& attempt, const Message& message);
  void trigger(const Trigger& trigger);
  void close(AttemptId attempt);
  void fail(AttemptId attempt, const Error& error);

  // --- links ---
  void serve_over(const ServeOver& order);
  void follow(const FollowCoordinator& order);
  void look_for_coordinator();
  void on_coordinator(const LinkUp& up);
  void on_coordinator_lost(const Error& error);
  void on_no_coordinator(const ConnectFailed& failed);
  void leave_coordinator();
  void on_listening(const Listening& listening);
  void on_link(const LinkUp& up);
  void on_link_lost(const LinkDown& down);
  void on_room(LinkId link);
  void on_no_link(const ConnectFailed& failed);
  void open_receivers(const Attempt& attempt);
  SubtaskId first_of(TaskId task) const;
  TaskId task_of(SubtaskId subtask) const { return blueprints_[subtask.value()].task; }
  // Where those are that the subtask, or the enumerator beside it, has channels with.
  std::set<std::string> hosts_of_peers(const Attempt& attempt, SubtaskId subtask) const;
  void end(const Error& error);

  const std::vector<TaskBlueprint> blueprints_;  // by SubtaskId
  const TaskHostSettings settings_;
  const std::vector<TaskWiring> wirings_;
  const std::size_t keyed_operators_;  // which share the memory for keyed state
  caf::actor coordinator_;
  caf::actor lost_;  // the coordinator whose link was lost, until there is another
  std::map<AttemptId, Attempt> attempts_;
  std::vector<caf::actor> tasks_;        // by SubtaskId; null while there is none
  std::vector<caf::actor> enumerators_;  // by TaskId; null where there is none
  std::map<SubtaskId, HeldTask> held_;   // until they are closed
  CheckpointId triggered_{0};            // the newest
  bool drained_ = false;

  HostAddress address_;
  caf::actor links_;
  HostLinks host_links_;
  LinkAddress coordinator_at_;
  std::optional<LinkId> control_;          // the link that leads to the coordinator
  std::optional<LinkAddress> looked_for_;  // where a connection is under way
  LeaderEpoch epoch_;                      // of the one that it was told to follow
  bool has_served_ = false;
};

}  // namespace millrace::detail
