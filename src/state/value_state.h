// A value for each key, which reads like a std::optional. Declared as a member of a keyed function:
//
//   ValueState<Timestamp> probed_at_{*this, "probed-at"};
//
//   if (probed_at_ && *probed_at_ < payment.at) ...
//   probed_at_ = payment.at;
//   count_.edit() += 1;          // a default value first, if there is none
//   probed_at_.reset();
//
// It is always the value of the current key: of the record in process(), or of the timer in
// on_timer(). A reference holds until that call returns. Reading copies nothing.
#pragma once

#include <string>
#include <utility>

#include "millrace/state/cells.h"
#include "millrace/state/state_owner.h"

namespace millrace {

template <class T>
class ValueState {
 public:
  using value_type = T;

  template <class K>
  ValueState(detail::StateOwner<K>& owner, std::string name, TimeToLive time_to_live = {})
      : table_(add_to(owner, std::move(name), time_to_live)),
        expiry_(owner.keyed_state(), time_to_live) {}
  ValueState(const ValueState&) = delete;
  ValueState& operator=(const ValueState&) = delete;

  bool has_value() const { return find() != nullptr; }
  explicit operator bool() const { return has_value(); }

  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }
  const T& value() const {
    const T* const found = find();
    check(found != nullptr, "a state was read that has no value for the key: test it first");
    return *found;
  }
  template <class U>
  T value_or(U&& other) const {
    const T* const found = find();
    return found ? *found : static_cast<T>(std::forward<U>(other));
  }

  ValueState& operator=(T value) {
    place() = std::move(value);
    return *this;
  }
  // To be changed in place.
  T& edit() {
    if (expiry_.limited() && find() == nullptr) place() = T();  // not what has expired
    return place();
  }
  void reset() { table_.erase(); }

 private:
  using Lasting = detail::ValueCell<T>;
  using Passing = detail::ValueCell<detail::Expiring<T>>;

  template <class K>
  static detail::AnyKeyTable& add_to(detail::StateOwner<K>& owner, std::string name,
                                     TimeToLive time_to_live) {
    if (time_to_live.limited()) {
      return owner.template add_table<Passing>(std::move(name), time_to_live);
    }
    return owner.template add_table<Lasting>(std::move(name));
  }

  const T* find() const {
    void* const cell = table_.find();
    if (cell == nullptr) return nullptr;
    if (!expiry_.limited()) [[likely]]
      return &static_cast<Lasting*>(cell)->value;
    const detail::Expiring<T>& passing = static_cast<Passing*>(cell)->value;
    if (passing.touched <= expiry_.limit()) return nullptr;
    if (expiry_.on_read() && passing.touched != expiry_.now()) {
      static_cast<Passing*>(table_.edit())->value.touched = expiry_.now();
    }
    return &passing.value;
  }

  T& place() {
    void* const cell = table_.edit();
    if (!expiry_.limited()) [[likely]]
      return static_cast<Lasting*>(cell)->value;
    detail::Expiring<T>& passing = static_cast<Passing*>(cell)->value;
    passing.touched = expiry_.now();
    return passing.value;
  }

  detail::AnyKeyTable& table_;
  detail::Expiry expiry_;
};

}  // namespace millrace
