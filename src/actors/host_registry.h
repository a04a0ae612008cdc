// The hosts of one job, as their coordinator's process knows them: owns the links there, has an
// actor stand for each host that connects, and tells the job's coordinator when one is gone.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/messages.h"
#include "millrace/core/log.h"

namespace millrace::detail {

struct HostRegistrySettings {
  std::function<caf::actor(caf::actor owner)> spawn_links;
  LinkAddress listen;
  // Called with the port that was bound, and with another if that is closed.
  std::function<void(Result<LinkAddress>)> listening;
  // Where it cannot listen it tries again after this pause; nothing: listening is told.
  std::optional<std::chrono::milliseconds> pause = {};
  Logger log = {};
  std::string job = {};
};

// Serve says whose hosts they are; until then none is let in.
class HostRegistry final : public ActorBase {
 public:
  HostRegistry(caf::actor_config& config, HostRegistrySettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void on_listening(const Result<LinkAddress>& address);
  void on_link(const LinkUp& up);
  void on_link_lost(const LinkDown& down);

  HostRegistrySettings settings_;
  caf::actor links_;
  caf::actor coordinator_;
  std::map<LinkId, caf::actor> hosts_;
};

}  // namespace millrace::detail
