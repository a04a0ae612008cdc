#include "millrace/coordination/savepoint_requests.h"

#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {

using Actions = SavepointRequests::Actions;
using Do = SavepointAction::Kind;

Actions SavepointRequests::request(AfterSavepoint then, bool tasks_run) {
  check(!busy(), "a savepoint was requested beside another");
  then_ = then;
  committed_ = 0;
  if (rescales()) {
    if (!tasks_run) return {{Do::kReply}, {Do::kStop}};
    state_ = State::kWaiting;
    return {{Do::kTake}};
  }
  state_ = State::kMaking;
  return {{Do::kMake}};
}

Actions SavepointRequests::made(const Status& made, bool tasks_run) {
  if (state_ != State::kMaking) return {{Do::kDiscard}};
  if (!made) {
    state_ = State::kNone;
    return {{Do::kReply, made}};
  }
  if (then_ != AfterSavepoint::kGoOn && !tasks_run) {
    return fail(unavailable("the job's tasks do not run now; try again later"));
  }
  const bool drains = then_ == AfterSavepoint::kDrain;
  state_ = drains ? State::kDraining : State::kWaiting;
  return {{drains ? Do::kDrain : Do::kTake}};
}

Actions SavepointRequests::final_checkpoint_due() {
  if (state_ != State::kDraining) return {};
  state_ = State::kWaiting;
  return {{Do::kTake}};
}

void SavepointRequests::triggered(CheckpointId id) {
  check(state_ == State::kWaiting, "nobody has requested this savepoint");
  state_ = State::kTaken;
  id_ = id;
}

Actions SavepointRequests::completed(CheckpointId id) {
  if (state_ != State::kTaken || id != id_) return {};
  if (rescales()) {
    state_ = State::kStopping;
    return {};
  }
  state_ = State::kSaving;
  return {{Do::kWrite}};
}

Actions SavepointRequests::aborted(CheckpointId id, const Error& error) {
  return state_ == State::kTaken && id == id_ ? fail(error) : Actions();
}

Actions SavepointRequests::committed(CheckpointId id) {
  if (id != id_ || (state_ != State::kSaving && state_ != State::kStopping)) return {};
  ++committed_;
  return stop_if_committed();
}

Actions SavepointRequests::written(const Status& written) {
  if (state_ != State::kSaving) return {};
  if (!written) {
    Actions actions = fail(written.error());
    if (stops()) actions.push_back({Do::kResume});
    return actions;
  }
  if (then_ == AfterSavepoint::kDrain && waits_for_end()) {
    state_ = State::kEnding;
    return {};
  }
  if (!stops()) {
    state_ = State::kNone;
    return {{Do::kReply}};
  }
  state_ = State::kStopping;
  return stop_if_committed();
}

Actions SavepointRequests::stop_if_committed() {
  if (state_ != State::kStopping || committed_ < tasks_) return {};
  state_ = waits_for_end() ? State::kEnding : State::kNone;
  if (waits_for_end()) return {{Do::kStop}};
  return {{Do::kReply}, {Do::kStop}};
}

// What was requested and not taken yet waits for the tasks, unless the job is to end behind it:
// they may never run again, and input that had ended goes on. An abort is heard of apart.
Actions SavepointRequests::interrupted() {
  const bool waiting = state_ == State::kDraining || state_ == State::kWaiting;
  if (waiting && then_ == AfterSavepoint::kDrain) {
    return withdraw(unavailable("a task failed before all input was drained; try again"));
  }
  if (waiting && stops()) {
    return withdraw(unavailable("a task failed before the checkpoint was taken; try again"));
  }
  const bool stopping = stops() && (state_ == State::kSaving || state_ == State::kStopping);
  if (!stopping) return {};
  state_ = State::kNone;
  return {{Do::kReply,
           unavailable("its checkpoint is complete, but a task failed before the job had stopped, "
                       "and it goes on; try again")}};
}

Actions SavepointRequests::ended(const Status& recorded) {
  if (!busy()) return {};
  if (state_ == State::kEnding) {
    state_ = State::kNone;
    if (recorded) return {{Do::kReply}};
    return {{Do::kReply,
             unavailable(concat("the savepoint is complete, but not that the job has ended: ",
                                recorded.error().message(),
                                "; see whether it goes on before it is begun from there"))}};
  }
  return fail(unavailable("the job ended before its savepoint was complete"));
}

Actions SavepointRequests::withdraw(const Error& error) {
  Actions actions = fail(error);
  actions.insert(actions.begin(), {Do::kWithdraw});
  return actions;
}

Actions SavepointRequests::fail(const Error& error) {
  state_ = State::kNone;
  return {{Do::kDiscard}, {Do::kReply, error}};
}

}  // namespace millrace::detail
