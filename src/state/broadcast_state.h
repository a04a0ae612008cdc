// A map that is the same in all instances of an operator, since all of them see the same broadcast
// stream and only that changes it. Declared as a member of a BroadcastProcess or a
// KeyedBroadcastProcess:
//
//   BroadcastState<std::string, Rule> rules_{*this, "rules"};
//
//   if (const Rule* rule = rules_.find(payment.kind)) ...       // anywhere
//   for (const auto& [kind, rule] : rules_) ...                 // in the order of the map's keys
//   rules_.put(context, rule.kind, rule);                       // in process_broadcast() alone
//
// It is in memory, and every instance writes its copy with each checkpoint. When a job goes on,
// instance i of n takes copy i modulo the number of copies. The instances may see the elements of
// several broadcasting subtasks in different orders: what they do to the map must then come to the
// same in any order.
#pragma once

#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "millrace/core/records/hash.h"
#include "millrace/core/records/record.h"
#include "millrace/state/operator_state.h"

namespace millrace::detail {

// What the context of process_broadcast() is derived from.
class BroadcastWriter {
 protected:
  BroadcastWriter() = default;
  ~BroadcastWriter() = default;
};

}  // namespace millrace::detail

namespace millrace {

template <class K, class V>
class BroadcastState final : private detail::AnyOperatorState {
  static_assert(is_key<K>,
                "Millrace: the keys of a BroadcastState are a bool, integer, enum, string or time, "
                "or a struct, tuple, optional, variant, vector or array of these");
  using Map = std::map<K, V>;

 public:
  using key_type = K;
  using mapped_type = V;
  using value_type = typename Map::value_type;
  using const_iterator = typename Map::const_iterator;

  template <class Owner>
  BroadcastState(Owner& owner, std::string name)
      : AnyOperatorState(detail::states_of(owner), std::move(name), detail::Redistribution::kCopy) {
  }

  // Null if there is no such entry.
  const V* find(const K& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  bool contains(const K& key) const { return find(key) != nullptr; }
  template <class U>
  V value_or(const K& key, U&& other) const {
    const V* const found = find(key);
    return found ? *found : static_cast<V>(std::forward<U>(other));
  }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

  // Of pairs of a key and its value.
  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }

  template <class Context>
  void put(const Context&, const K& key, V value) {
    require_writer<Context>();
    entries_.insert_or_assign(key, std::move(value));
  }
  // To be changed in place; a default value first, if there is none.
  template <class Context>
  V& edit(const Context&, const K& key) {
    require_writer<Context>();
    return entries_[key];
  }
  template <class Context>
  void erase(const Context&, const K& key) {
    require_writer<Context>();
    entries_.erase(key);
  }
  template <class Context>
  void clear(const Context&) {
    require_writer<Context>();
    entries_.clear();
  }

 private:
  template <class Context>
  static constexpr void require_writer() {
    static_assert(std::is_base_of_v<detail::BroadcastWriter, Context>,
                  "Millrace: a BroadcastState is changed in process_broadcast() alone, with the "
                  "WriteContext that it is given, so that all subtasks have the same");
  }

  const detail::Type& element_type() const override { return type_of<Map>(); }
  detail::Rows elements() const override { return {&entries_, sizeof entries_, 1}; }
  detail::MutableRows make_elements(std::size_t) override {
    entries_.clear();
    return {&entries_, sizeof entries_, 1};
  }

  Map entries_;
};

}  // namespace millrace
