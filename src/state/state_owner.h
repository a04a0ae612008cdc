// What a user's keyed function is derived from, so that the states that it declares as members find
// each other and the key at hand.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/core/time.h"
#include "millrace/state/key_table.h"

namespace millrace {

// For how long state is kept: from when it was written last, or also read.
//
//   ValueState<Profile> profile_{*this, "profile", expire_after(24h).from_last_read()};
class TimeToLive {
 public:
  TimeToLive() = default;
  explicit TimeToLive(Duration duration) : duration_(duration) {}

  TimeToLive from_last_read() const {
    TimeToLive copy = *this;
    copy.on_read_ = true;
    return copy;
  }

  bool limited() const { return duration_ != Duration(0); }
  Duration duration() const { return duration_; }
  bool on_read() const { return on_read_; }

 private:
  Duration duration_{0};
  bool on_read_ = false;
};

// State that was not written for so long is gone: it is never read again, and its memory comes back
// in the background. By the wall clock.
inline TimeToLive expire_after(Duration duration) { return TimeToLive(duration); }

}  // namespace millrace

namespace millrace::detail {

class AnyStateOwner {
 public:
  AnyStateOwner() = default;
  AnyStateOwner(const AnyStateOwner&) = delete;
  AnyStateOwner& operator=(const AnyStateOwner&) = delete;

  // For the engine, all of them.
  KeyedState& keyed_state() { return state_; }
  CurrentKeys& current_keys() { return current_; }
  void begin_group(CurrentKeys keys) {
    current_ = keys;
    state_.read_clock();
    for (const auto& table : tables_) table->begin_group();
  }
  // No key is at hand, and places that were looked up are not known any more.
  void end_group() {
    current_.hashes = {};
    for (const auto& table : tables_) table->begin_group();
    state_.tidy_up();
  }
  // The current key has no state any more.
  void clear_current() {
    for (const auto& table : tables_) table->erase();
  }

 protected:
  ~AnyStateOwner() = default;

  template <class Table>
  Table& add(std::unique_ptr<Table> table) {
    Table& added = *table;
    tables_.push_back(std::move(table));
    state_.add(added);
    return added;
  }

 private:
  CurrentKeys current_;
  std::vector<std::unique_ptr<AnyKeyTable>> tables_;
  KeyedState state_;  // ends first: it refers to the tables
};

// K is the type of the stream's key.
template <class K>
class StateOwner : public AnyStateOwner {
 public:
  template <class Cell>
  KeyTable<K, Cell>& add_table(std::string name, TimeToLive time_to_live = {}) {
    return add(std::make_unique<KeyTable<K, Cell>>(std::move(name), current_keys(),
                                                   time_to_live.duration().count()));
  }
};

// The age of state that expires.
class Expiry {
 public:
  Expiry(const KeyedState& state, TimeToLive time_to_live)
      : state_(&state), time_to_live_(time_to_live) {}

  bool limited() const { return time_to_live_.limited(); }
  bool on_read() const { return time_to_live_.on_read(); }
  Timestamp now() const { return state_->now(); }
  // What was touched then or before is gone.
  Timestamp limit() const { return state_->now() - time_to_live_.duration(); }

 private:
  const KeyedState* state_;
  TimeToLive time_to_live_;
};

}  // namespace millrace::detail
