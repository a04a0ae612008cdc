// discard(): a sink that drops its records, for measuring. They are made all the same: the sink
// counts them where the compiler cannot see that nobody asks.
#pragma once

#include "millrace/core/metrics.h"
#include "millrace/operators/endpoints.h"

namespace millrace::detail {

template <class T>
class DiscardSink final : public Sink<T> {
 public:
  Status write(std::span<const T> values) override {
    count_.increment(values.size());
    return {};
  }

  std::uint64_t count() const { return count_.value(); }

 private:
  Counter count_;
};

class Discard {
 public:
  template <class T>
  SinkSpec bind() const {
    SinkSpec spec = sink<DiscardSink<T>>().spec;
    spec.kind = "discard";
    return spec;
  }
};

}  // namespace millrace::detail

namespace millrace {

inline detail::Discard discard() { return {}; }

}  // namespace millrace
