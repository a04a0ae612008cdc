#include "millrace/api/job_builder.h"

#include <algorithm>
#include <cstring>

#include "millrace/core/codec/schema.h"
#include "millrace/core/text.h"

namespace millrace::detail {

namespace {

std::string schema_text(const Type& type) { return to_string(schema_of(type)); }

Status check_strategy(const WatermarkStrategy& strategy) {
  if (strategy.bound() < Duration(0)) {
    return invalid_argument(concat("out_of_order_by(", strategy.bound().count(),
                                   " ms): records cannot be out of order by less than 0"));
  }
  if (strategy.idle_after() && *strategy.idle_after() <= Duration(0)) {
    return invalid_argument(concat("idle_after(", strategy.idle_after()->count(),
                                   " ms): a source is idle after a time above 0 without records"));
  }
  return {};
}

Error idle_far_from_source() {
  return invalid_argument(
      "idle_after(...) is about a source: put event_time() directly behind from(), and only once, "
      "or leave idle_after() out");
}

}  // namespace

OperatorIndex JobBuilder::add_source(AnySourceSpec source, OutputType type) {
  const bool named = !source.name.empty();
  const bool splits = static_cast<bool>(source.enumerator);
  return add({.name = std::move(source.name),
              .named = named,
              .kind = std::move(source.kind),
              .stateful = true,
              .source = true,
              .bounded = source.bounded,
              .splits = splits,
              .single = source.single,
              .outputs = {{.tag = "", .schema = schema_text(type.type)}}},
             {.make = std::move(source.make),
              .outputs = {type.make_batch},
              .enumerator = std::move(source.enumerator),
              .types = {&type.type}},
             {});
}

OperatorIndex JobBuilder::add_operator(OperatorKind kind, OperatorFactory make, OutputType type,
                                       const Inputs& inputs) {
  return add({.kind = std::string(kind.kind),
              .stateful = kind.key != nullptr,
              .key_schema = kind.key ? schema_text(*kind.key) : "",
              .outputs = {{.tag = "", .schema = schema_text(type.type)}}},
             {.make = std::move(make),
              .outputs = {type.make_batch},
              .enumerator = {},
              .types = {&type.type}},
             inputs);
}

OperatorIndex JobBuilder::add_operator(OperatorKind kind, OperatorFactory make, OutputType type,
                                       const std::vector<Upstream>& input) {
  return add_operator(kind, std::move(make), type, Inputs{input});
}

OperatorIndex JobBuilder::add_event_time(EventTime time, OutputType type,
                                         const std::vector<Upstream>& from) {
  if (Status valid = check_strategy(time.strategy); !valid) fail(valid.error());
  time.bounded = std::ranges::all_of(from, [&](const Upstream& up) { return is_bounded(up.op); });
  if (from.size() == 1 && put_into_source(time, from.front())) return from.front().op;
  if (time.strategy.idle_after()) fail(idle_far_from_source());
  return add_operator(
      {"event_time"}, [time] { return std::make_unique<EventTimeOperator>(time); }, type, from);
}

// A source has one event time; another one behind it is an operator.
bool JobBuilder::put_into_source(const EventTime& time, const Upstream& from) {
  const bool direct = plan_.at(from.op).source && from.output == 0 && !from.chosen;
  OperatorCode& code = operators_[from.op.value()];
  if (!direct || code.event_time) return false;
  code.event_time = time;
  code.make = [make = code.make, time]() -> std::unique_ptr<Operator> {
    std::unique_ptr<Operator> source = make();
    static_cast<AnySource&>(*source).set_event_time(time);
    return source;
  };
  return true;
}

OperatorIndex JobBuilder::add_sink(SinkSpec sink, const std::vector<Upstream>& upstreams) {
  const bool named = !sink.name.empty();
  return add({.name = std::move(sink.name),
              .named = named,
              .kind = std::move(sink.kind),
              .sink = true,
              .single = sink.single},
             {.make = std::move(sink.make), .outputs = {}, .enumerator = {}}, {upstreams});
}

OperatorIndex JobBuilder::add(OperatorSpec spec, OperatorCode code, const Inputs& inputs) {
  spec.inputs = static_cast<std::uint32_t>(inputs.size());
  const OperatorIndex index = plan_.add_operator(std::move(spec));
  operators_.push_back(std::move(code));
  bool bounded = plan_.at(index).source ? plan_.at(index).bounded : true;
  for (std::uint32_t input = 0; input < inputs.size(); ++input) {
    for (const Upstream& from : inputs[input]) {
      bounded = bounded && is_bounded(from.op);
      plan_.connect({.from = from.op,
                     .output = from.output,
                     .to = index,
                     .input = input,
                     .exchange = from.exchange,
                     .chosen = from.chosen,
                     .read_first = from.read_first,
                     .key_schema = from.key ? schema_text(*from.key) : ""});
      edges_.push_back(from.partitioner);
    }
  }
  bounded_.push_back(bounded);
  return index;
}

std::uint32_t JobBuilder::side_output(OperatorIndex index, std::string_view tag, OutputType type) {
  OperatorSpec& spec = plan_.at(index);
  for (std::uint32_t i = 1; i < spec.outputs.size(); ++i) {
    if (spec.outputs[i].tag != tag) continue;
    const std::type_info& known = operators_[index.value()].outputs[i]()->record_type();
    const std::type_info& asked = type.make_batch()->record_type();
    if (known != asked) {  // also where they look the same
      fail(invalid_argument(concat(describe(spec), " has a side output ", in_quotes(tag), " of ",
                                   in_quotes(readable_name(known)), ", which was also read as ",
                                   in_quotes(readable_name(asked)), "; a tag has one type")));
    }
    return i;
  }
  spec.outputs.push_back({std::string(tag), schema_text(type.type)});
  operators_[index.value()].outputs.push_back(type.make_batch);
  operators_[index.value()].types.push_back(&type.type);
  return static_cast<std::uint32_t>(spec.outputs.size() - 1);
}

void JobBuilder::fail(Error error) {
  if (status_) status_ = std::move(error);
}

void JobBuilder::fail_no_operator(std::string_view setting) {
  fail(
      invalid_argument(concat(".", setting,
                              "(...) stands behind a union or an exchange, which are no operators: "
                              "put it directly behind the operator that it is about")));
}

void JobBuilder::fail_parameter(Error error) {
  if (parameter_status_) parameter_status_ = std::move(error);
  if (on_bad_parameter_ == OnBadParameter::kStop) throw BadParameter();
}

void JobBuilder::check_words(const void* first, const void* second, std::size_t size,
                             std::string_view kind) {
  if (frame_end_ == nullptr) return;
  const char* const frame_begin = static_cast<const char*>(__builtin_frame_address(0));
  for (std::size_t at = 0; at + sizeof(char*) <= size; at += sizeof(char*)) {
    const char* a = nullptr;
    const char* b = nullptr;
    std::memcpy(&a, static_cast<const char*>(first) + at, sizeof a);
    std::memcpy(&b, static_cast<const char*>(second) + at, sizeof b);
    if (a != b || a < frame_begin || a >= frame_end_) continue;
    return fail(invalid_argument(
        concat("the function given to ", kind,
               " refers to a variable of the job function, which is gone when the job runs; "
               "capture by value ([=] or [name]) instead of by reference")));
  }
}

Result<BuiltJob> JobBuilder::build() {
  if (!status_) return status_.error();
  Result<LogicalPlan> plan = plan_.build();
  if (!plan) return plan.error();
  BuiltJob job{*std::move(plan), {}};
  for (std::size_t i = 0; i < operators_.size(); ++i) {
    job.code.operators.emplace(job.plan.operators[i].id, operators_[i]);
  }
  job.code.edges = edges_;
  return job;
}

}  // namespace millrace::detail
