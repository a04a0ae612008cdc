// The keyed state of one operator instance, as its task sees it: something that is frozen at a
// barrier in no time, and then written while the stream goes on.
//
// One thread, the task's. `done` may come from any.
#pragma once

#include <functional>

#include "millrace/core/check.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/savepoint/savepoint_target.h"
#include "millrace/state/state_metrics.h"

namespace millrace::detail {

class KeyedBackend {
 public:
  using Done = std::function<void(Result<KeyedSnapshot>)>;

  virtual ~KeyedBackend() = default;

  // The state as it is now belongs to the checkpoint. `done` is called once, later or at once,
  // unless the checkpoint is abandoned before. At most one checkpoint is frozen at a time.
  virtual void freeze(const CheckpointName& checkpoint, Done done) = 0;

  // Before freeze(): what it freezes is also to be written as rows of a savepoint.
  virtual void save_rows(const SavepointTarget&) {
    check(false, "this keyed state cannot be written into a savepoint");
  }

  // Does a piece of the work on what is frozen, some tens of microseconds long; false if there was
  // nothing to do, or if that waits for the writer. The task calls it between elements until it
  // says so, and while congested() holds now and then.
  virtual Result<bool> work() = 0;

  // It has no memory left for what further records would change, until the writer has caught up:
  // the task takes no input meanwhile.
  virtual bool congested() { return false; }

  // Brings up to date what it knows of itself.
  virtual void report(StateMetrics&) {}

  // The checkpoint will not complete: what it would have held joins the next one.
  virtual void abandon(const CheckpointName& checkpoint) = 0;

  // The checkpoint has nothing of this state: once it is complete, what earlier ones had of it may
  // be gone.
  virtual void leave_out(const CheckpointName&) {}

  // The checkpoint is complete, whatever is frozen now: later ones may refer to what it has here.
  virtual void completed(const CheckpointName& checkpoint) = 0;
};

}  // namespace millrace::detail
