// Event-time timers: once the watermark has passed a timer's time, on_timer() is called for its
// key, in the order of time. Timers are state: a row for each, by key. The queue that orders them
// by time is not; it is made from them.
//
//   context.timers().at(payment.at + 1min);
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "millrace/core/time.h"
#include "millrace/state/cells.h"
#include "millrace/state/state_owner.h"

namespace millrace {

// Of the current key.
class Timers {
 public:
  // The same time twice is one timer. A time that has passed already comes with the next watermark.
  void at(Timestamp time) {
    if (add(time)) push({time, current_hash()});
  }
  void cancel(Timestamp time) { remove(time); }

 protected:
  // The key is found by its hash; several may have the same.
  struct Due {
    Timestamp time;
    std::uint64_t hash;

    auto operator<=>(const Due&) const = default;
  };

  ~Timers() = default;

  void push(Due due) {
    queue_.push_back(due);
    std::ranges::push_heap(queue_, std::greater());
  }
  const Due* next() const { return queue_.empty() ? nullptr : &queue_.front(); }
  void pop() {
    std::ranges::pop_heap(queue_, std::greater());
    queue_.pop_back();
  }

 private:
  virtual bool add(Timestamp time) = 0;  // false if it is there
  virtual void remove(Timestamp time) = 0;
  virtual std::uint64_t current_hash() const = 0;

  std::vector<Due> queue_;  // a heap, the earliest first; cancelled ones stay until their time
};

}  // namespace millrace

namespace millrace::detail {

struct Nothing {};

struct TimerCell : MapCell<Timestamp, Nothing> {
  static constexpr std::string_view kKind = "timers";
};

template <class K>
class KeyTimers final : public Timers {
 public:
  explicit KeyTimers(StateOwner<K>& owner)
      : keys_(owner.current_keys()), table_(owner.template add_table<TimerCell>("event-timers")) {
    table_.rows().forbid_eviction();  // the queue finds them by their hash alone
  }

  // Once the state is open: makes the queue of what was restored.
  Status open() {
    return table_.load_everything([&](const K& key, const TimerCell& cell) {
      for (const auto& [time, entry] : cell.entries) push({time, hash_of_key(key)});
    });
  }

  bool is_due(Timestamp watermark) const { return next() != nullptr && next()->time <= watermark; }

  // Takes the next timer; returns its key, or null if it was cancelled. The caller makes the key
  // the current one and then cancels the timer.
  struct Fired {
    const K* key;
    std::uint64_t hash;
    Timestamp time;
  };
  Fired take_next() {
    const Due due = *next();
    pop();
    const K* const key = table_.find_key(
        due.hash, [&](const TimerCell& cell) { return cell.entries.contains(due.time); });
    return {key, due.hash, due.time};
  }

 private:
  bool add(Timestamp time) override {
    auto* const known = static_cast<TimerCell*>(table_.find());
    if (known != nullptr && known->entries.contains(time)) return false;
    static_cast<TimerCell*>(table_.edit())->edit(time);
    return true;
  }
  void remove(Timestamp time) override {
    if (table_.find() == nullptr) return;
    auto& cell = *static_cast<TimerCell*>(table_.edit());
    cell.erase(time);
    if (cell.entries.empty()) table_.erase();
  }
  std::uint64_t current_hash() const override { return keys_.hash(); }

  const CurrentKeys& keys_;
  KeyTable<K, TimerCell>& table_;
};

}  // namespace millrace::detail
