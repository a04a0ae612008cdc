// The enumerator of one source as an actor: finds the splits when the first reader asks, and hands
// them out one by one, first come, first served.
#pragma once

#include <memory>
#include <string>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/messages.h"
#include "millrace/operators/any_source.h"

namespace millrace::detail {

class EnumeratorActor final : public ActorBase {
 public:
  EnumeratorActor(caf::actor_config& config, std::string source, EnumeratorFactory make,
                  std::uint32_t parallelism, caf::actor coordinator);

  caf::behavior make_behavior() override;

 private:
  void hand_out(const caf::actor& reader);
  Result<std::optional<std::string>> next_split();

  const std::string source_;
  const EnumeratorFactory make_;
  const std::uint32_t parallelism_;
  const caf::actor coordinator_;
  std::unique_ptr<SplitEnumerator> enumerator_;
  bool failed_ = false;
};

}  // namespace millrace::detail
