// What the actors of a process with links live in: whoever has some derives from it, ends them, and
// calls finish() while all that they use is there.
#pragma once

#include <caf/actor_system.hpp>
#include <functional>
#include <future>
#include <memory>

#include "millrace/actors/linked_process.h"
#include "millrace/actors/links/link_actor.h"
#include "millrace/actors/system_config.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace::detail {

using SpawnLinks = std::function<caf::actor(const caf::actor& owner)>;

struct LinkedSystem {
  LinkedSystem(LinkedProcess self, Role as, Logger logger);

  LinkSettings links_of(const caf::actor& owner);
  SpawnLinks spawn_links();

  // Waits until all actors are gone, and then their work: it may hold some beyond that.
  void finish();

  const LinkedProcess process;
  const Role role;
  const Logger log;
  SystemClock clock;
  SystemConfig config;
  caf::actor_system actors;
  ThreadExecutor executor{kBlockingThreads};  // ends first: its work holds actors
};

// Where an actor listens, or why it does not: what it says first.
class FirstListening {
 public:
  std::function<void(Result<LinkAddress>)> listening();
  Result<LinkAddress> wait() { return address_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<LinkAddress>>> address_ =
      std::make_shared<std::promise<Result<LinkAddress>>>();
};

}  // namespace millrace::detail
