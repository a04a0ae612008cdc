#include "millrace/actors/host_registry.h"

#include <caf/send.hpp>

#include "millrace/actors/control_relay.h"

namespace millrace::detail {
namespace {

struct ListenAgain {};

}  // namespace
}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ListenAgain)

namespace millrace::detail {

HostRegistry::HostRegistry(caf::actor_config& config, HostRegistrySettings settings)
    : ActorBase(config), settings_(std::move(settings)) {}

caf::behavior HostRegistry::make_behavior() {
  links_ = settings_.spawn_links(caf::actor_cast<caf::actor>(this));
  send(links_, Listen{settings_.listen});
  return {
      [this](const Listening& listening) { on_listening(listening.address); },
      [this](ListenAgain) { send(links_, Listen{settings_.listen}); },
      [this](Serve& serve) { coordinator_ = std::move(serve.coordinator); },
      [this](const LinkUp& up) { on_link(up); },
      [this](const LinkDown& down) { on_link_lost(down); },
      [this](ControlArrived& arrived) {
        const auto host = hosts_.find(arrived.link);
        if (host != hosts_.end()) send(host->second, std::move(arrived));
      },
      [](const LinkCongested&) {},
      [](const LinkRelieved&) {},
      [this](ProgressArrived& arrived) {
        const auto host = hosts_.find(arrived.link);
        if (host != hosts_.end()) {
          send(host->second, ControlArrived{arrived.link, std::move(arrived.frame)});
        }
      },
  };
}

void HostRegistry::on_exit() {
  for (const auto& [link, host] : hosts_) {
    caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
  }
  if (links_) caf::anon_send(links_, StopLinks{});
  hosts_.clear();
  links_ = nullptr;
  coordinator_ = nullptr;
}

// A process may be out of descriptors or ports for a time, and its jobs are not to end for that.
void HostRegistry::on_listening(const Result<LinkAddress>& address) {
  if (address || !settings_.pause) return settings_.listening(address);
  settings_.log.warn("cannot listen for the hosts of a job",
                     {{"job", settings_.job}, {"error", address.error().message()}});
  delayed_send(this, *settings_.pause, ListenAgain{});
}

void HostRegistry::on_link(const LinkUp& up) {
  if (!coordinator_ || up.peer.role != Role::kHost) {
    return send(links_, CloseLink{up.link, unavailable("no job waits here for a host")});
  }
  hosts_.emplace(up.link, spawn<RemoteHost>(links_, up.link, coordinator_));
}

void HostRegistry::on_link_lost(const LinkDown& down) {
  const auto lost = hosts_.extract(down.link);
  if (lost.empty()) return;
  send(coordinator_, HostLost{lost.mapped(), down.identity, down.error});
  send_exit(lost.mapped(), caf::exit_reason::user_shutdown);
}

}  // namespace millrace::detail
