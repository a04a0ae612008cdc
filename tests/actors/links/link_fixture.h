// The links of one process, with an owner that keeps all that it hears. A test may have several
// such "processes" in one.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "millrace/actors/links/link_actor.h"
#include "millrace/actors/system_config.h"

namespace millrace::detail {

using LinkEvent =
    std::variant<Listening, LinkUp, LinkDown, ConnectFailed, LinkCongested, ControlArrived,
                 ReceiversConfirmed, LinkRelieved, ProgressArrived, FrameArrived>;

// What owner and receivers hear, in order.
class LinkEvents {
 public:
  void add(LinkEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    added_.notify_all();
  }

  // The next event of that type that was not taken yet; none if it does not come in time.
  template <class Event>
  std::optional<Event> next(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    std::optional<Event> found;
    added_.wait_for(lock, time, [&] {
      for (auto event = events_.begin(); event != events_.end(); ++event) {
        if (auto* one = std::get_if<Event>(&*event)) {
          found.emplace(std::move(*one));
          events_.erase(event);
          return true;
        }
      }
      return false;
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<LinkEvent> events_;
};

class LinkObserver final : public ActorBase {
 public:
  LinkObserver(caf::actor_config& config, std::shared_ptr<LinkEvents> events)
      : ActorBase(config), events_(std::move(events)) {}

  caf::behavior make_behavior() override {
    return {
        [this](Listening& event) { events_->add(std::move(event)); },
        [this](LinkUp& event) { events_->add(std::move(event)); },
        [this](LinkDown& event) { events_->add(std::move(event)); },
        [this](ConnectFailed& event) { events_->add(std::move(event)); },
        [this](LinkCongested& event) { events_->add(std::move(event)); },
        [this](ControlArrived& event) { events_->add(std::move(event)); },
        [this](ReceiversConfirmed& event) { events_->add(std::move(event)); },
        [this](LinkRelieved& event) { events_->add(std::move(event)); },
        [this](ProgressArrived& event) { events_->add(std::move(event)); },
        [this](FrameArrived& event) { events_->add(std::move(event)); },
    };
  }

 private:
  std::shared_ptr<LinkEvents> events_;
};

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
    caf::anon_send_exit(observer_, caf::exit_reason::user_shutdown);
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
