// Side outputs: what a process function or a source emits besides its main results, by tag. A side
// output that nobody reads drops its records.
#pragma once

#include <string_view>
#include <type_traits>

#include "millrace/operators/operator.h"
#include "millrace/operators/output_tag.h"

namespace millrace {

class SideOutputs {
 public:
  template <class X>
  void emit(const OutputTag<X>& tag, const std::type_identity_t<X>& value) {
    if (detail::Batch<X>* out = find<X>(tag.name)) {
      out->push(value);
      if (stamped_) out->stamp(timestamp_);
    }
  }

  // For the engine: where the outputs are, and what the next records are stamped with.
  void bind(detail::Outputs& outputs) { outputs_ = &outputs; }
  void set_timestamp(bool stamped, Timestamp timestamp) {
    stamped_ = stamped;
    timestamp_ = timestamp;
  }

 protected:
  Timestamp timestamp_ = kMinTimestamp;

 private:
  template <class X>
  detail::Batch<X>* find(std::string_view tag) {
    for (std::size_t i = 0; i < outputs_->tags().size(); ++i) {
      if (outputs_->tags()[i] == tag) return &outputs_->get<X>(i + 1);
    }
    return nullptr;
  }

  detail::Outputs* outputs_ = nullptr;
  bool stamped_ = false;
};

}  // namespace millrace
