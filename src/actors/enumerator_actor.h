// The enumerator of one source as an actor: finds the splits when the first reader asks, and hands
// them out one by one, first come, first served.
#pragma once

#include <memory>
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
};

class EnumeratorActor final : public ActorBase {
 public:
  EnumeratorActor(caf::actor_config& config, EnumeratedSource source, caf::actor coordinator,
                  Executor& executor);

  caf::behavior make_behavior() override;

 private:
  void look_for_splits();
  static Result<std::shared_ptr<SplitEnumerator>> find_splits(const EnumeratedSource& source);
  void hand_out(const caf::actor& reader);
  void fail(const Error& error);

  const EnumeratedSource source_;
  const caf::actor coordinator_;
  Executor& executor_;  // looking for splits may block
  std::shared_ptr<SplitEnumerator> enumerator_;
  std::vector<caf::actor> waiting_;  // readers, until the splits are found
};

}  // namespace millrace::detail
