// Event-time timers: once the watermark has passed a timer's time, on_timer() is called for its
// key, in the order of time. Timers are state: a row for each, by key. The queue that orders them
// by time is not; it is made from them. Those that were cancelled stay in it until they are about
// half of it.
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
  void cancel(Timestamp time) {
    if (!remove(time)) return;
    if (++cancelled_ > kFewTimers + queue_.size() / 2) compact();
  }

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
    queue_grew(queue_.capacity() * sizeof(Due));
  }
  const Due* next() const { return queue_.empty() ? nullptr : &queue_.front(); }
  void pop() {
    std::ranges::pop_heap(queue_, std::greater());
    queue_.pop_back();
  }
  // What was popped had been cancelled.
  void note_cancelled() {
    if (cancelled_ > 0) --cancelled_;
  }
  std::size_t queue_size() const { return queue_.size(); }

 private:
  static constexpr std::size_t kFewTimers = 64;

  virtual bool add(Timestamp time) = 0;     // false if it is there
  virtual bool remove(Timestamp time) = 0;  // false if it is not
  virtual std::uint64_t current_hash() const = 0;
  virtual std::size_t count(const Due& due) const = 0;  // of timers that are so
  virtual void queue_grew(std::size_t bytes) = 0;

  void compact();

  std::vector<Due> queue_;     // a heap, the earliest first
  std::size_t cancelled_ = 0;  // of them
};

// Leaves as many of each as there are timers. What is sorted is a heap.
inline void Timers::compact() {
  std::ranges::sort(queue_);
  auto to = queue_.begin();
  for (auto from = queue_.begin(); from != queue_.end();) {
    const Due due = *from;
    const auto end = std::find_if(from, queue_.end(), [&](const Due& d) { return d != due; });
    const auto timers = std::min(static_cast<std::ptrdiff_t>(count(due)), end - from);
    to = std::fill_n(to, timers, due);
    from = end;
  }
  queue_.erase(to, queue_.end());
  cancelled_ = 0;
}

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

  // In the queue, with those that were cancelled.
  std::size_t queued() const { return queue_size(); }

  bool is_due(Timestamp watermark) const { return next() != nullptr && next()->time <= watermark; }

  // Takes the next timer; returns its key, or null if it was cancelled. The caller makes the key
  // the current one and then ends the timer.
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
    if (key == nullptr) note_cancelled();
    return {key, due.hash, due.time};
  }
  void end(Timestamp fired) { (void)remove(fired); }

 private:
  bool add(Timestamp time) override {
    auto* const known = static_cast<TimerCell*>(table_.find());
    if (known != nullptr && known->entries.contains(time)) return false;
    static_cast<TimerCell*>(table_.edit())->edit(time);
    return true;
  }
  bool remove(Timestamp time) override {
    auto* const known = static_cast<TimerCell*>(table_.find());
    if (known == nullptr || !known->entries.contains(time)) return false;
    auto& cell = *static_cast<TimerCell*>(table_.edit());
    cell.erase(time);
    if (cell.entries.empty()) table_.erase();
    return true;
  }
  std::uint64_t current_hash() const override { return keys_.hash(); }
  // Several keys may have the hash.
  std::size_t count(const Due& due) const override {
    std::size_t timers = 0;
    (void)table_.find_key(due.hash, [&](const TimerCell& cell) {
      if (cell.entries.contains(due.time)) ++timers;
      return false;
    });
    return timers;
  }
  void queue_grew(std::size_t bytes) override { table_.rows().set_bytes_beside(bytes); }

  const CurrentKeys& keys_;
  KeyTable<K, TimerCell>& table_;
};

}  // namespace millrace::detail
