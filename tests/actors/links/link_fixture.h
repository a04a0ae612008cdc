// The links of one process, with an owner that keeps all that it hears. A test may have several
// such "processes" in one.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "millrace/actors/links/link_actor.h"
#include "millrace/actors/system_config.h"
#include "support/actor_probe.h"

namespace millrace::detail {

// What owner and receivers hear, in order.
using LinkObserver =
    KeepingActor<Listening, LinkUp, LinkDown, ConnectFailed, LinkCongested, ControlArrived,
                 ReceiversConfirmed, LinkRelieved, ProgressArrived, FrameArrived>;
using LinkEvents = LinkObserver::Kept;

class LinkProcess {
 public:
  explicit LinkProcess(const std::string& identity, LinkLimits limits = {}, Hello self = {},
                       std::shared_ptr<const TlsContext> tls = nullptr)
      : system_(config_) {
    self.cluster = self.cluster.empty() ? "test" : self.cluster;
    self.identity = identity;
    observer_ = system_.spawn<LinkObserver>(events_);
    links_ = spawn_links(system_, {.owner = observer_,
                                   .self = self,
                                   .limits = limits,
                                   .clock = &clock_,
                                   .executor = &executor_,
                                   .tls = std::move(tls),
                                   .pool = pool_,
                                   .metrics = metrics_});
  }
  ~LinkProcess() {
    send(StopLinks{});
    caf::anon_send_exit(observer_, caf::exit_reason::kill);
  }

  // The port that was bound.
  std::uint16_t listen() {
    send(Listen{{"127.0.0.1", 0}});
    const std::optional<Listening> listening = events_->next<Listening>();
    return listening && listening->address ? listening->address->port : 0;
  }
  void connect(std::uint16_t port, ExpectedPeer expected = {}) {
    send(ConnectLink{{"127.0.0.1", port}, std::move(expected)});
  }

  template <class Message>
  void send(Message message) {
    caf::anon_send(links_, std::move(message));
  }
  void send_frame(LinkId link, FrameKind kind, std::string_view body) {
    std::string bytes = pool_->take();
    if (append_frame(kind, body, bytes)) send(SendFrame{link, std::move(bytes)});
  }

  template <class Event>
  std::optional<Event> next(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return events_->next<Event>(time);
  }

  const caf::actor& observer() const { return observer_; }
  const caf::actor& links() const { return links_; }
  const LinkMetrics& metrics() const { return *metrics_; }

 private:
  struct Config : SystemConfig {
    Config() : SystemConfig(1) { prepare_for_links(*this); }
  };

  std::shared_ptr<LinkEvents> events_ = std::make_shared<LinkEvents>();
  std::shared_ptr<BytePool> pool_ = std::make_shared<BytePool>();
  std::shared_ptr<LinkMetrics> metrics_ = std::make_shared<LinkMetrics>();
  SystemClock clock_;
  Config config_;
  caf::actor_system system_;
  ThreadExecutor executor_;
  caf::actor observer_;
  caf::actor links_;
};

}  // namespace millrace::detail
