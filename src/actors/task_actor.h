// One subtask of a chain as an actor. It only routes: messages become calls on its TaskRunner, and
// what the runner sends becomes messages. Elements are queued as they come; a Work message to
// itself, behind them in the mailbox, does the work, so that all that has arrived is seen before
// the task believes that its input ran empty.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/remote_ends.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/actors/task_runner.h"
#include "millrace/coordination/worker/crash_page.h"

namespace millrace::detail {

// Of one task in one attempt.
struct TaskPlace {
  caf::actor coordinator;
  TaskAddress address;
  const Clock* clock = nullptr;
  CrashPage* crash_page = nullptr;  // on which its turns are noted; null: none
};

class TaskActor final : public ActorBase, private TaskPort {
 public:
  TaskActor(caf::actor_config& config, TaskBlueprint blueprint, TaskPlace place, TaskStart start);

  caf::behavior make_behavior() override;
  void on_exit() override;
  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t most) override;

 private:
  // TaskPort
  void send(std::size_t exchange, std::size_t channel, Element element) override;
  void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) override;
  void request_split() override;
  void acknowledge(const Barrier& barrier, TaskSnapshot snapshot) override;
  void decline(CheckpointId checkpoint, std::optional<Error> error) override;
  KeyedBackend::Done when_written(CheckpointId checkpoint, std::size_t index) override;
  Stored when_stored(CheckpointId checkpoint) override;

  // Calls on the runner, unless the task has stopped, and lets it work.
  template <class Call>
  void on_runner(Call call);
  template <class Message>
  void tell(Message message);  // the coordinator
  void take(TaskRunner& runner, Deliver& deliver);
  void take(TaskRunner& runner, Credit& credit);
  void take(TaskRunner& runner, FrameArrived& arrived);
  template <class Call>
  void each_channel_on(LinkId link, Call call);
  void hold(LinkId link);
  void release(LinkId link);
  void refuse(LinkId link, const Error& error);
  void put_out(LinkId link, Result<std::string> frame);
  void open();
  void work();
  void work_later();
  void wake_after(std::chrono::nanoseconds pause);
  // A failure stops the task and is reported; it then waits to be cancelled.
  void settle(const Status& status);
  void report(const Error& error);
  void close();
  caf::error stop_after(std::exception_ptr thrown);

  const TaskBlueprint blueprint_;
  const TaskPlace place_;
  TaskStart start_;  // until it is opened
  std::shared_ptr<const TaskPeers> peers_;
  std::unique_ptr<RemoteEnds> remote_;               // if the job has several hosts
  std::unique_ptr<TaskRunner> runner_;               // from Connect until the end
  bool working_ = false;                             // a Work message is in the mailbox
  bool finished_ = false;                            // and reported
  bool stopped_ = false;                             // failed or closed: nothing more is done
  std::uint64_t wake_number_ = 0;                    // of the Wake that counts
  std::optional<std::chrono::nanoseconds> wake_at_;  // when it comes
};

}  // namespace millrace::detail
