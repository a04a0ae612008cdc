// Sinks, as the engine sees them: operators without outputs that write in two phases. What was
// written before a checkpoint is prepared with it and committed once it is complete.
// millrace/connect.h has the class that users derive from.
#pragma once

#include "millrace/operators/operator.h"

namespace millrace::detail {

class AnySink : public Operator {
 public:
  // Makes what was written since the last call durable, where no reader looks at it yet.
  virtual Status prepare(CheckpointId) { return {}; }

  // The checkpoint is complete: shows what was prepared for it. May come more than once.
  virtual Status commit(CheckpointId) { return {}; }
};

}  // namespace millrace::detail
