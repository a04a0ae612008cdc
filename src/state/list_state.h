// A list for each key. Declared as a member of a keyed function:
//
//   ListState<Payment> last_{*this, "last-payments"};
//
//   last_.add(payment);
//   for (const Payment& payment : last_.values()) ...
//   last_.clear();
//
// Appending writes nothing but what is appended, however long the list is. A reference holds until
// process() returns, or the list is changed. Elements may expire, each by itself (expire_after()).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "millrace/state/cells.h"
#include "millrace/state/state_owner.h"

namespace millrace {

template <class T>
class ListState {
 public:
  using value_type = T;

  template <class K>
  ListState(detail::StateOwner<K>& owner, std::string name, TimeToLive time_to_live = {})
      : table_(owner.template add_table<Cell>(std::move(name), time_to_live)),
        expiry_(owner.keyed_state(), time_to_live) {}
  ListState(const ListState&) = delete;
  ListState& operator=(const ListState&) = delete;

  std::span<const T> values() const {
    Cell* const cell = find();
    return cell ? std::span<const T>(cell->values) : std::span<const T>();
  }
  std::size_t size() const { return values().size(); }
  bool empty() const { return values().empty(); }

  void add(T value) { edit().append(std::move(value), time()); }

  // All of them instead of those that are there.
  void assign(std::vector<T> values) {
    if (values.empty()) return clear();
    Cell& cell = edit();
    cell.values = std::move(values);
    cell.touched.assign(expiry_.limited() ? cell.values.size() : 0, expiry_.now());
    cell.saved = 0;
  }
  void clear() { table_.erase(); }

 private:
  using Cell = detail::ListCell<T>;

  std::optional<Timestamp> time() const {
    return expiry_.limited() ? std::optional(expiry_.now()) : std::nullopt;
  }

  Cell& edit() {
    Cell& cell = *static_cast<Cell*>(table_.edit());
    if (expiry_.limited()) cell.expire(expiry_.limit());
    return cell;
  }

  Cell* find() const {
    auto* const cell = static_cast<Cell*>(table_.find());
    if (cell == nullptr || !expiry_.limited() || cell->touched.empty()) return cell;
    const bool expires = cell->has_expired(expiry_.limit());
    const bool ages = expiry_.on_read() && cell->touched.front() != expiry_.now();
    if (!expires && !ages) return cell;
    auto* const changed = static_cast<Cell*>(table_.edit());
    if (changed->expire(expiry_.limit())) {
      table_.erase();
      return nullptr;
    }
    if (expiry_.on_read()) {
      std::fill(changed->touched.begin(), changed->touched.end(), expiry_.now());
      changed->saved = 0;
    }
    return changed;
  }

  detail::AnyKeyTable& table_;
  detail::Expiry expiry_;
};

}  // namespace millrace
