// Lists of an operator instance, not of a key. Declared as members of a process function, source or
// sink:
//
//   OperatorListState<Pending> pending_{*this, "pending"};
//   UnionListState<Offset> offsets_{*this, "offsets"};
//
// They differ in what an instance finds when the job goes on from a checkpoint. The elements of an
// OperatorListState are dealt: to each instance its own if the parallelism is as it was, else in
// contiguous parts, as even as possible. Of a UnionListState every instance gets all elements of
// all instances, and should keep what is its own, for each writes again what it holds.
//
// A list is in memory, and each checkpoint writes all of it while the task stands still: for
// buffers and offsets, not for what grows with the stream. It can be read from open() on.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "millrace/core/records/record.h"
#include "millrace/state/operator_state.h"

namespace millrace::detail {

template <class T>
class OperatorList : public AnyOperatorState {
  static_assert(!std::is_same_v<T, bool>,
                "Millrace: a list of bool is not supported: use a list of a struct or an enum");

 public:
  using value_type = T;

  std::span<const T> values() const { return values_; }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }

  void add(T value) { values_.push_back(std::move(value)); }
  // All of them instead of those that are there.
  void assign(std::vector<T> values) { values_ = std::move(values); }
  // To be changed in place.
  std::vector<T>& edit() { return values_; }
  void clear() { values_.clear(); }

 protected:
  using AnyOperatorState::AnyOperatorState;
  ~OperatorList() = default;

 private:
  const Type& element_type() const final { return type_of<T>(); }
  Rows elements() const final { return Rows::of(std::span<const T>(values_)); }
  MutableRows make_elements(std::size_t count) final {
    values_.clear();
    values_.resize(count);
    return MutableRows::of(std::span<T>(values_));
  }

  std::vector<T> values_;
};

}  // namespace millrace::detail

namespace millrace {

template <class T>
class OperatorListState final : public detail::OperatorList<T> {
 public:
  template <class Owner>
  OperatorListState(Owner& owner, std::string name)
      : detail::OperatorList<T>(detail::states_of(owner), std::move(name),
                                detail::Redistribution::kSplit) {}
};

template <class T>
class UnionListState final : public detail::OperatorList<T> {
 public:
  template <class Owner>
  UnionListState(Owner& owner, std::string name)
      : detail::OperatorList<T>(detail::states_of(owner), std::move(name),
                                detail::Redistribution::kUnion) {}
};

}  // namespace millrace
