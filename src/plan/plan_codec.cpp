#include "millrace/plan/plan_codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>
#include <optional>

#include "millrace/core/text.h"
#include "millrace/schemas/plan.capnp.h"

namespace millrace::detail {
namespace {

constexpr std::uint32_t kMaxOutputs = 1'024;  // of one operator

static_assert(static_cast<int>(wire::Mode::AUTOMATIC) == static_cast<int>(Mode::kAutomatic));
static_assert(static_cast<int>(wire::Exchange::CUSTOM) == static_cast<int>(Exchange::kCustom));
static_assert(static_cast<int>(wire::Chaining::NEVER) == static_cast<int>(Chaining::kNever));

unsigned size_of(const auto& list) { return static_cast<unsigned>(list.size()); }

capnp::Text::Reader text(const std::string& value) { return {value.c_str(), value.size()}; }

void write(wire::Output::Builder out, const OutputSpec& output) {
  out.setTag(text(output.tag));
  out.setSchema(text(output.schema));
}

void write(wire::Operator::Builder out, const OperatorSpec& spec) {
  out.setId(spec.id.value());
  out.setName(text(spec.name));
  out.setKind(text(spec.kind));
  out.setNamed(spec.named);
  out.setStateful(spec.stateful);
  out.setSource(spec.source);
  out.setSink(spec.sink);
  out.setBounded(spec.bounded);
  out.setBlocking(spec.blocking);
  out.setSingle(spec.single);
  out.setSplits(spec.splits);
  out.setHasParallelism(spec.parallelism.has_value());
  out.setHasMaxParallelism(spec.max_parallelism.has_value());
  out.setParallelism(spec.parallelism.value_or(0));
  out.setMaxParallelism(spec.max_parallelism.value_or(0));
  out.setChaining(static_cast<wire::Chaining>(spec.chaining));
  out.setSlotSharingGroup(text(spec.slot_sharing_group));
  out.setKeySchema(text(spec.key_schema));
  out.setInputs(spec.inputs);
  auto outputs = out.initOutputs(size_of(spec.outputs));
  for (unsigned i = 0; i < outputs.size(); ++i) write(outputs[i], spec.outputs[i]);
}

void write(wire::Edge::Builder out, const EdgeSpec& edge) {
  out.setFrom(edge.from.value());
  out.setOutput(edge.output);
  out.setTo(edge.to.value());
  out.setInput(edge.input);
  out.setExchange(static_cast<wire::Exchange>(edge.exchange));
  out.setChosen(edge.chosen);
  out.setReadFirst(edge.read_first);
  out.setKeySchema(text(edge.key_schema));
}

void write(wire::LogicalPlan::Builder out, const LogicalPlan& plan) {
  out.setJob(text(plan.job));
  out.setMode(static_cast<wire::Mode>(plan.mode));
  out.setParallelism(plan.parallelism);
  out.setMaxParallelism(plan.max_parallelism);
  out.setChaining(plan.chaining);
  auto operators = out.initOperators(size_of(plan.operators));
  for (unsigned i = 0; i < operators.size(); ++i) write(operators[i], plan.operators[i]);
  auto edges = out.initEdges(size_of(plan.edges));
  for (unsigned i = 0; i < edges.size(); ++i) write(edges[i], plan.edges[i]);
}

void write(wire::Task::Builder out, const TaskSpec& task) {
  out.setName(text(task.name));
  auto operators = out.initOperators(size_of(task.operators));
  for (unsigned i = 0; i < operators.size(); ++i) operators.set(i, task.operators[i].value());
  auto chained = out.initChained(size_of(task.chained));
  for (unsigned i = 0; i < chained.size(); ++i) chained.set(i, task.chained[i].value());
  out.setParallelism(task.parallelism);
  out.setMaxParallelism(task.max_parallelism);
  out.setSlotSharingGroup(text(task.slot_sharing_group));
  out.setBlocking(task.blocking);
}

void write(wire::TaskEdge::Builder out, const TaskEdge& edge) {
  out.setEdge(edge.edge.value());
  out.setFrom(edge.from.value());
  out.setTo(edge.to.value());
  out.setExchange(static_cast<wire::Exchange>(edge.exchange));
}

void write(wire::ExecutionPlan::Builder out, const ExecutionPlan& plan) {
  write(out.initLogical(), plan.logical);
  out.setMode(static_cast<wire::Mode>(plan.mode));
  out.setMaxParallelism(plan.max_parallelism);
  auto tasks = out.initTasks(size_of(plan.tasks));
  for (unsigned i = 0; i < tasks.size(); ++i) write(tasks[i], plan.tasks[i]);
  auto edges = out.initEdges(size_of(plan.edges));
  for (unsigned i = 0; i < edges.size(); ++i) write(edges[i], plan.edges[i]);
}

std::string bytes_of(capnp::MessageBuilder& message) {
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  const kj::ArrayPtr<const char> chars = words.asChars();
  return {chars.begin(), chars.size()};
}

std::string read(capnp::Text::Reader value) { return {value.begin(), value.size()}; }

// Reads what is there, whatever it is, and keeps the first thing that was wrong.
class Reader {
 public:
  LogicalPlan logical(wire::LogicalPlan::Reader in) {
    LogicalPlan plan{.job = read(in.getJob()),
                     .mode = enumerator(in.getMode(), Mode::kAutomatic),
                     .parallelism = in.getParallelism(),
                     .max_parallelism = in.getMaxParallelism(),
                     .chaining = in.getChaining()};
    each(in.getOperators(), kMaxOperators,
         [&](const auto& spec) { plan.operators.push_back(operator_spec(spec)); });
    operators_ = plan.operators.size();
    each(in.getEdges(), kMaxEdges,
         [&](const auto& edge) { plan.edges.push_back(edge_spec(edge)); });
    return plan;
  }

  ExecutionPlan execution(wire::ExecutionPlan::Reader in) {
    ExecutionPlan plan{.logical = logical(in.getLogical()),
                       .mode = enumerator(in.getMode(), Mode::kAutomatic),
                       .max_parallelism = in.getMaxParallelism()};
    each(in.getTasks(), kMaxOperators, [&](const auto& reader) {
      plan.tasks.push_back(task(reader));
      plan.tasks.back().id = TaskId(static_cast<std::uint32_t>(plan.tasks.size() - 1));
    });
    each(in.getEdges(), kMaxEdges,
         [&](const auto& edge) { plan.edges.push_back(task_edge(edge)); });
    return plan;
  }

  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  OperatorSpec operator_spec(wire::Operator::Reader in) {
    OperatorSpec spec{.id = OperatorId(in.getId()),
                      .name = read(in.getName()),
                      .named = in.getNamed(),
                      .kind = read(in.getKind()),
                      .stateful = in.getStateful(),
                      .source = in.getSource(),
                      .sink = in.getSink(),
                      .bounded = in.getBounded(),
                      .splits = in.getSplits(),
                      .blocking = in.getBlocking(),
                      .single = in.getSingle(),
                      .chaining = enumerator(in.getChaining(), Chaining::kNever),
                      .slot_sharing_group = read(in.getSlotSharingGroup()),
                      .key_schema = read(in.getKeySchema()),
                      .inputs = in.getInputs()};
    if (in.getHasParallelism()) spec.parallelism = in.getParallelism();
    if (in.getHasMaxParallelism()) spec.max_parallelism = in.getMaxParallelism();
    each(in.getOutputs(), kMaxOutputs, [&](const auto& output) {
      spec.outputs.push_back({read(output.getTag()), read(output.getSchema())});
    });
    return spec;
  }

  EdgeSpec edge_spec(wire::Edge::Reader in) {
    return {.from = position(in.getFrom()),
            .output = in.getOutput(),
            .to = position(in.getTo()),
            .input = in.getInput(),
            .exchange = enumerator(in.getExchange(), Exchange::kCustom),
            .chosen = in.getChosen(),
            .read_first = in.getReadFirst(),
            .key_schema = read(in.getKeySchema())};
  }

  OperatorIndex position(std::uint32_t index) {
    if (index >= operators_) {
      fail(corruption(concat("it refers to operator ", index, ", but has ", operators_,
                             " operators, counted from 0")));
    }
    return OperatorIndex(index);
  }

  TaskSpec task(wire::Task::Reader in) {
    TaskSpec task{.name = read(in.getName()),
                  .parallelism = in.getParallelism(),
                  .max_parallelism = in.getMaxParallelism(),
                  .slot_sharing_group = read(in.getSlotSharingGroup()),
                  .blocking = in.getBlocking()};
    each(in.getOperators(), kMaxOperators,
         [&](std::uint32_t index) { task.operators.push_back(position(index)); });
    each(in.getChained(), kMaxEdges,
         [&](std::uint32_t edge) { task.chained.push_back(EdgeIndex(edge)); });
    return task;
  }

  TaskEdge task_edge(wire::TaskEdge::Reader in) {
    return {.edge = EdgeIndex(in.getEdge()),
            .from = TaskId(in.getFrom()),
            .to = TaskId(in.getTo()),
            .exchange = enumerator(in.getExchange(), Exchange::kCustom)};
  }

  // A list's elements may take no bytes at all, so their number is bounded by itself.
  template <class List, class Read>
  void each(const List& list, std::uint32_t most, Read read_element) {
    if (list.size() > most) {
      return fail(corruption(concat("a list of ", list.size(), " elements, more than ", most)));
    }
    for (const auto& element : list) read_element(element);
  }

  template <class E>
  E enumerator(auto in, E last) {
    const auto value = static_cast<std::uint16_t>(in);
    if (value <= static_cast<std::uint16_t>(last)) return static_cast<E>(value);
    fail(unsupported(concat("the plan uses a value of ", value,
                            " that this version does not know: use the version that made it")));
    return last;
  }

  std::size_t operators_ = 0;  // of the logical plan
  std::optional<Error> error_;
};

kj::Array<capnp::word> aligned(std::string_view bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  if (!bytes.empty()) std::memcpy(words.begin(), bytes.data(), bytes.size());
  return words;
}

Status check_size(std::string_view bytes) {
  if (bytes.size() > kMaxPlanBytes) {
    return corruption(
        concat("the plan is ", bytes.size(), " bytes long, more than ", kMaxPlanBytes));
  }
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return corruption(concat("the plan is cut off: it is ", bytes.size(),
                             " bytes long, expected a multiple of ", sizeof(capnp::word)));
  }
  return {};
}

Status check_format(wire::Plan::Reader plan, wire::Plan::Which expected) {
  if (plan.getVersion() == 0) return corruption("the plan has no format version");
  if (plan.getVersion() != kPlanFormat) {
    return unsupported(concat("the plan has format version ", plan.getVersion(),
                              ", this version reads ", kPlanFormat,
                              ": use the version that made it"));
  }
  if (plan.which() != expected) return corruption("the plan is of the other kind");
  return {};
}

// Reads each part once; the limit stops pointers that lead to one part again and again.
template <class Plan, class Take>
Result<Plan> decode_message(std::string_view bytes, wire::Plan::Which which, Take take) {
  const kj::Array<capnp::word> words = aligned(bytes);
  capnp::FlatArrayMessageReader message(
      words, {.traversalLimitInWords = 2 * words.size() + 1'024, .nestingLimit = 16});
  if (message.getEnd() != words.end()) return corruption("bytes follow the plan");
  const auto root = message.getRoot<wire::Plan>();
  if (Status status = check_format(root, which); !status) return status.error();
  Reader reader;
  Plan plan = take(reader, root);
  if (reader.error()) return *reader.error();
  return plan;
}

template <class Plan, class Take>
Result<Plan> decode(std::string_view bytes, wire::Plan::Which which, Take take) {
  if (Status status = check_size(bytes); !status) return status.error();
  try {
    return decode_message<Plan>(bytes, which, take);
  } catch (const kj::Exception& exception) {
    return corruption(concat("the plan cannot be read: ", exception.getDescription().cStr()));
  }
}

}  // namespace

std::string encode(const LogicalPlan& plan) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Plan>();
  root.setVersion(kPlanFormat);
  write(root.initLogical(), plan);
  return bytes_of(message);
}

std::string encode(const ExecutionPlan& plan) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Plan>();
  root.setVersion(kPlanFormat);
  write(root.initExecution(), plan);
  return bytes_of(message);
}

Result<LogicalPlan> decode_logical_plan(std::string_view bytes) {
  return decode<LogicalPlan>(
      bytes, wire::Plan::LOGICAL,
      [](Reader& reader, wire::Plan::Reader root) { return reader.logical(root.getLogical()); });
}

Result<ExecutionPlan> decode_execution_plan(std::string_view bytes) {
  Result<ExecutionPlan> plan = decode<ExecutionPlan>(bytes, wire::Plan::EXECUTION,
                                                     [](Reader& reader, wire::Plan::Reader root) {
                                                       return reader.execution(root.getExecution());
                                                     });
  if (!plan) return plan;
  if (Status status = validate(*plan); !status) return corruption(status.error().message());
  return plan;
}

}  // namespace millrace::detail
