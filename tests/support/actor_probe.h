// An actor of a test: it keeps all that it is told, for the test's thread to look at.
#pragma once

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/actors/actor_base.h"

namespace millrace::detail {

template <class... Messages>
class KeptMessages {
 public:
  using Message = std::variant<Messages...>;

  void add(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    added_.notify_all();
  }

  // The next of that type that was not taken yet; none if it does not come in time.
  template <class Wanted>
  std::optional<Wanted> next(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    std::optional<Wanted> found;
    added_.wait_for(lock, time, [&] {
      for (auto message = messages_.begin(); message != messages_.end(); ++message) {
        if (auto* one = std::get_if<Wanted>(&*message)) {
          found.emplace(std::move(*one));
          messages_.erase(message);
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
  std::vector<Message> messages_;
};

// Told anything else it drops it; told to exit it only keeps that, but for kill.
template <class... Messages>
class KeepingActor final : public ActorBase {
 public:
  using Kept = KeptMessages<Messages..., caf::exit_msg>;

  KeepingActor(caf::actor_config& config, std::shared_ptr<Kept> kept)
      : ActorBase(config), kept_(std::move(kept)) {
    // Dropped as CAF drops it would be an error of its sender, which ends by that.
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::message();
    });
    set_exit_handler([this](caf::exit_msg& exit) {
      if (exit.reason == caf::exit_reason::kill) return quit();
      kept_->add(std::move(exit));
    });
  }

  caf::behavior make_behavior() override {
    return {[this](Messages& message) { kept_->add(std::move(message)); }...};
  }

 private:
  std::shared_ptr<Kept> kept_;
};

template <class... Messages>
class ActorProbe {
 public:
  explicit ActorProbe(caf::actor_system& system)
      : actor_(system.spawn<KeepingActor<Messages...>>(kept_)) {}
  ~ActorProbe() { caf::anon_send_exit(actor_, caf::exit_reason::kill); }

  const caf::actor& actor() const { return actor_; }

  // In its name.
  template <class Message>
  void send(const caf::actor& to, Message message) {
    caf::send_as(actor_, to, std::move(message));
  }
  template <class Message>
  std::optional<Message> next(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return kept_->template next<Message>(time);
  }

 private:
  std::shared_ptr<typename KeepingActor<Messages...>::Kept> kept_ =
      std::make_shared<typename KeepingActor<Messages...>::Kept>();
  caf::actor actor_;
};

}  // namespace millrace::detail
