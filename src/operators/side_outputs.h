// Side outputs: what a process function or a source emits besides its main results, by tag. A side
// output that nobody reads drops its records. What cannot be emitted is remembered, and the
// operator returns it as its error.
#pragma once

#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "millrace/operators/operator.h"
#include "millrace/operators/output_tag.h"

namespace millrace {

class SideOutputs {
 public:
  template <class X>
  void emit(const OutputTag<X>& tag, const std::type_identity_t<X>& value) {
    const std::size_t output = find(tag.name, typeid(X), detail::make_batch<X>);
    if (output == 0) return;
    detail::Batch<X>& out = outputs_->get<X>(output);
    out.push(value);
    if (stamped_) out.stamp(timestamp_);
  }

  // Whether somebody reads what is emitted to that tag.
  template <class X>
  bool is_read(const OutputTag<X>& tag) {
    return find(tag.name, typeid(X), detail::make_batch<X>) != 0;
  }

  // For the engine: where the outputs are, and what the next records are stamped with.
  void bind(detail::Outputs& outputs) { outputs_ = &outputs; }
  void set_timestamp(bool stamped, Timestamp timestamp) {
    stamped_ = stamped;
    timestamp_ = timestamp;
  }
  // Fails once something was emitted that could not be.
  const Status& emission_status() const { return status_; }

 protected:
  Timestamp timestamp_ = kMinTimestamp;

 private:
  // The number of the output of that tag; 0 if nobody reads it, or not as records of that type.
  std::size_t find(std::string_view tag, const std::type_info& type,
                   detail::BatchPtr (*make_batch)());

  detail::Outputs* outputs_ = nullptr;
  Status status_;
  bool stamped_ = false;
};

}  // namespace millrace
