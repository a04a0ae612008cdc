// collection({...}): a stream of values that the program holds. Bounded, one subtask, in order; the
// position is its state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "millrace/operators/endpoints.h"

namespace millrace::detail {

template <class T>
class CollectionSource final : public Source<T> {
  static_assert(std::is_copy_constructible_v<T>,
                "Millrace: collection() emits copies of its values, so they must be copyable");

 public:
  static constexpr bool kBounded = true;

  explicit CollectionSource(std::shared_ptr<const std::vector<T>> values)
      : values_(std::move(values)) {}

  Result<Poll> poll(Collector<T>& out) override {
    while (*next_ < values_->size() && !out.full()) out.emit((*values_)[next_.edit()++]);
    return *next_ == values_->size() ? Poll::end() : Poll::more();
  }

 private:
  const std::shared_ptr<const std::vector<T>> values_;  // one copy for all attempts
  SourceState<std::uint64_t> next_{*this, "next"};
};

}  // namespace millrace::detail

namespace millrace {

template <class T>
SourceSpec<T> collection(std::vector<T> values) {
  auto spec = source<detail::CollectionSource<T>>(
      std::shared_ptr<const std::vector<T>>(std::make_shared<std::vector<T>>(std::move(values))));
  spec.kind = "collection";
  return spec;
}

template <class T>
SourceSpec<T> collection(std::initializer_list<T> values) {
  return collection(std::vector<T>(values));
}

}  // namespace millrace
