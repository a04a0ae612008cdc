#include "millrace/actors/linked_system.h"

#include <utility>

namespace millrace::detail {

LinkedSystem::LinkedSystem(LinkedProcess self, Role as, Logger logger)
    : process(std::move(self)),
      role(as),
      log(std::move(logger)),
      config(process.threads),
      actors((prepare_for_links(config), config)) {}

LinkSettings LinkedSystem::links_of(const caf::actor& owner) {
  return {.owner = owner,
          .self = process.hello(role),
          .limits = process.options.limits,
          .clock = &clock,
          .executor = &executor,
          .tls = process.options.tls,
          .allow_plaintext = process.options.allow_plaintext,
          .log = log};
}

SpawnLinks LinkedSystem::spawn_links() {
  return [this](const caf::actor& owner) { return detail::spawn_links(actors, links_of(owner)); };
}

void LinkedSystem::finish() {
  actors.await_all_actors_done();
  executor.finish();
}

std::function<void(Result<LinkAddress>)> FirstListening::listening() {
  return [address = address_, told = false](Result<LinkAddress> bound) mutable {
    if (!std::exchange(told, true)) address->set_value(std::move(bound));
  };
}

}  // namespace millrace::detail
