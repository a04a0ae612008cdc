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
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/actors/task_runner.h"

namespace millrace::detail {

class TaskActor final : public ActorBase, private TaskPort {
 public:
  TaskActor(caf::actor_config& config, TaskBlueprint blueprint, caf::actor coordinator,
            const Clock& clock);

  caf::behavior make_behavior() override;

 private:
  // TaskPort
  void send(std::size_t exchange, std::size_t channel, Element element) override;
  void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) override;
  void request_split() override;

  void start();
  void work();
  void work_later();
  void wake_after(std::chrono::nanoseconds pause);
  // A failure stops the task and is reported; it then waits to be cancelled.
  void settle(const Status& status);
  void report(const Error& error);
  void close();
  caf::error stop_after(std::exception_ptr thrown);

  const TaskBlueprint blueprint_;
  const caf::actor coordinator_;
  const Clock& clock_;
  std::shared_ptr<const TaskPeers> peers_;
  std::unique_ptr<TaskRunner> runner_;               // from Start until the end
  bool working_ = false;                             // a Work message is in the mailbox
  bool stopped_ = false;                             // finished or failed: nothing more is done
  std::uint64_t wake_number_ = 0;                    // of the Wake that counts
  std::optional<std::chrono::nanoseconds> wake_at_;  // when it comes
};

}  // namespace millrace::detail
