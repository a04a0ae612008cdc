// The enumerator of one source as an actor: finds the splits when the first reader asks, and hands
// them out one by one, first come, first served.
//
// A checkpoint's trigger reaches the readers through it: what it handed out before is in a reader's
// snapshot, what it has left is in its own. It goes on from those, or looks for the splits again if
// it had not when the checkpoint was taken.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/messages.h"
#include "millrace/core/executor.h"
#include "millrace/operators/any_source.h"

namespace millrace::detail {

// A source whose splits are to be found.
struct EnumeratedSource {
  std::string name;
  EnumeratorFactory make;
  std::uint32_t parallelism;
  std::optional<StatePiece> restored;  // the splits that were left
};

class EnumeratorActor final : public ActorBase {
 public:
  EnumeratorActor(caf::actor_config& config, EnumeratedSource source, EnumeratorAddress address,
                  caf::actor coordinator, Executor& executor);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void look_for_splits();
  static Result<StatePiece> find_splits(const EnumeratedSource& source);
  void take_splits(StatePiece splits);
  void hand_out(const caf::actor& reader);
  void trigger(const Trigger& trigger);
  void fail(const Error& error);

  const EnumeratedSource source_;
  const EnumeratorAddress address_;
  const caf::actor coordinator_;
  Executor& executor_;  // looking for splits may block
  std::vector<caf::actor> readers_;
  std::optional<std::deque<std::string>> splits_;  // not handed out; none: not looked for yet
  std::string schema_;                             // of their type, when they were found
  std::vector<caf::actor> waiting_;                // readers, until the splits are found
};

}  // namespace millrace::detail
