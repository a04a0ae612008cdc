// Listens to an election, remembers what it was told, and waits for more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "millrace/coordination/leader_election.h"

namespace millrace::test {

class LeadershipRecorder {
 public:
  using Events = std::vector<detail::LeadershipEvent>;

  detail::LeadershipListener listener() {
    return [this](const detail::LeadershipEvent& event) {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      told_.notify_all();
    };
  }

  Events events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  // Whether it was told something of that kind, or is within the time.
  template <class Event>
  bool was_told(std::size_t times = 1, std::chrono::milliseconds patience = kPatience) {
    return wait(patience, [&] { return count<Event>() >= times; });
  }

  template <class Event>
  std::size_t times_told() const {
    const std::lock_guard lock(mutex_);
    return count<Event>();
  }

  // The epoch in which it leads, or is to lead soon; 0 if it does not.
  std::uint64_t await_lead(std::chrono::milliseconds patience = kPatience) {
    wait(patience, [&] { return leads_in() != 0; });
    const std::lock_guard lock(mutex_);
    return leads_in();
  }
  std::uint64_t lead() const {
    const std::lock_guard lock(mutex_);
    return leads_in();
  }

  // Who leads, as it was told last.
  std::optional<detail::LeaderKnown> known() const {
    const std::lock_guard lock(mutex_);
    return last<detail::LeaderKnown>();
  }
  bool knows(const detail::LeaderKnown& leader) {
    return wait(kPatience, [&] { return last<detail::LeaderKnown>() == leader; });
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{30'000};

  bool wait(std::chrono::milliseconds patience, const std::function<bool()>& what) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, patience, what);
  }

  template <class Event>
  std::size_t count() const {
    std::size_t times = 0;
    for (const auto& event : events_) times += std::holds_alternative<Event>(event) ? 1 : 0;
    return times;
  }

  template <class Event>
  std::optional<Event> last() const {
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (const auto* found = std::get_if<Event>(&*event)) return *found;
    }
    return std::nullopt;
  }

  std::uint64_t leads_in() const {
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (std::holds_alternative<detail::Deposed>(*event)) return 0;
      if (const auto* elected = std::get_if<detail::Elected>(&*event))
        return elected->epoch.value();
    }
    return 0;
  }

  mutable std::mutex mutex_;
  std::condition_variable told_;
  Events events_;
};

}  // namespace millrace::test
