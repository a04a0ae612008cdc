// Collects what the fluent API says, as a plan and its code. Streams are values that refer to it;
// it lives as long as the job function runs. The first error is kept and reported when the job is
// run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "millrace/core/config/parameters.h"
#include "millrace/core/records/record.h"
#include "millrace/operators/endpoints.h"
#include "millrace/operators/event_time.h"
#include "millrace/plan/job_code.h"
#include "millrace/plan/plan_builder.h"

namespace millrace::detail {

// Where the records of a stream come from, and how they go to the operator that reads them.
struct Upstream {
  OperatorIndex op;
  std::uint32_t output = 0;
  Exchange exchange = Exchange::kForward;
  bool chosen = false;
  bool read_first = false;
  const Type* key = nullptr;  // of an exchange by key
  PartitionerFactory partitioner;
};

// What an operator emits: its type, and how to make an empty batch of it.
struct OutputType {
  const Type& type;
  BatchPtr (*make_batch)();
};

template <class T>
OutputType output_of() {
  return {type_of<T>(), make_batch<T>};
}

struct OperatorKind {
  std::string_view kind;
  const Type* key = nullptr;  // of a keyed operator, which keeps state
};

using Inputs = std::vector<std::vector<Upstream>>;  // of an operator; several upstreams are a union

struct BuiltJob {
  LogicalPlan plan;
  JobCode code;
};

// What becomes of a job function that asks for a parameter which was not given, or not well: it has
// no value to go on with. Only where all that it asks for is to be listed it goes on with some.
enum class OnBadParameter : std::uint8_t { kStop, kGoOn };

// Ends the job function; its error is the builder's parameter_status().
struct BadParameter {};

class JobBuilder {
 public:
  JobBuilder(std::string name, Parameters parameters,
             OnBadParameter on_bad_parameter = OnBadParameter::kStop)
      : plan_(std::move(name)),
        parameters_(std::move(parameters)),
        on_bad_parameter_(on_bad_parameter) {}

  // The three kinds of operators; plain code, so that each line of a job costs little to compile.
  OperatorIndex add_source(AnySourceSpec source, OutputType type);
  OperatorIndex add_operator(OperatorKind kind, OperatorFactory make, OutputType type,
                             const Inputs& inputs);
  OperatorIndex add_operator(OperatorKind kind, OperatorFactory make, OutputType type,
                             const std::vector<Upstream>& input);
  // Puts it into the source if `from` is one alone; otherwise adds an operator.
  OperatorIndex add_event_time(EventTime time, OutputType type, const std::vector<Upstream>& from);
  OperatorIndex add_sink(SinkSpec sink, const std::vector<Upstream>& upstreams);

  // The number of the side output of that tag, which is added if it is new.
  std::uint32_t side_output(OperatorIndex index, std::string_view tag, OutputType type);

  PlanBuilder& plan() { return plan_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  // The first error is kept: in what the job function says, or in the parameters that it was given.
  void fail(Error error);
  void fail_no_operator(std::string_view setting);
  void fail_parameter(Error error);  // throws BadParameter, where that stops the job function
  const Status& parameter_status() const { return parameter_status_; }

  // A closure that refers to the job function's own variables would outlive them.
  template <class F>
  void check_closure(const F& function, std::string_view kind);

  // The function must be called through here, so that the extent of its frame is known.
  template <class JobFunction, class Job>
  [[gnu::noinline]] void call(JobFunction&& function, Job& job) {
    frame_end_ = static_cast<const char*>(__builtin_frame_address(0));
    function(job);
    frame_end_ = nullptr;
  }

  Result<BuiltJob> build();

 private:
  bool put_into_source(const EventTime& time, const Upstream& from);
  bool is_bounded(OperatorIndex index) const { return bounded_[index.value()]; }
  OperatorIndex add(OperatorSpec spec, OperatorCode code, const Inputs& inputs);
  void check_words(const void* first, const void* second, std::size_t size, std::string_view kind);

  PlanBuilder plan_;
  Parameters parameters_;
  std::vector<OperatorCode> operators_;
  std::vector<bool> bounded_;  // by operator: its input ends
  std::vector<PartitionerFactory> edges_;
  Status status_;
  Status parameter_status_;
  OnBadParameter on_bad_parameter_;
  const char* frame_end_ = nullptr;
};

// A captured reference is an address in the job function's frame. Two copies of the closure, made
// over different bytes, tell it from what the copies left as it was, and from addresses of their
// own parts, such as a short string's.
template <class F>
void JobBuilder::check_closure(const F& function, std::string_view kind) {
  if constexpr (!std::is_empty_v<F> && std::is_copy_constructible_v<F> &&
                sizeof(F) >= sizeof(void*)) {
    struct Copy {
      explicit Copy(const F& original, int fill) {
        std::memset(bytes, fill, sizeof bytes);
        value = new (bytes) F(original);
      }
      ~Copy() { value->~F(); }
      alignas(F) std::byte bytes[sizeof(F)];
      F* value;
    };
    const Copy first(function, 0x00);
    const Copy second(function, 0xff);
    check_words(first.bytes, second.bytes, sizeof(F), kind);
  }
}

}  // namespace millrace::detail
