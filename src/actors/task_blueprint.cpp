#include "millrace/actors/task_blueprint.h"

#include <algorithm>

#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {
namespace {

// An exchange with very many channels sends smaller batches, so that a task's memory stays bounded.
ChannelLimits limits_for(std::size_t channels) {
  constexpr std::size_t kManyChannels = 64;
  ChannelLimits limits;
  if (channels > kManyChannels) {
    limits.batches = 2;
    limits.batch_records = std::max<std::size_t>(kBatchRecords * kManyChannels / channels, 32);
  }
  return limits;
}

// How the sender numbers the exchange that the channel belongs to.
std::uint32_t exchange_number(const ExecutionPlan& plan, const ChannelSpec& channel) {
  std::uint32_t number = 0;
  for (const TaskEdge& outgoing : plan.edges) {
    if (outgoing.edge == channel.edge) return number;
    if (outgoing.from == channel.from) ++number;
  }
  check(false, "the channel's edge does not lead out of its task");
  return number;
}

class Assembly {
 public:
  Assembly(const TaskBlueprint& blueprint, TaskPort& port)
      : blueprint_(blueprint), plan_(blueprint.job->plan), port_(port) {}

  Result<std::vector<ChainOperator>> make_operators() {
    std::vector<ChainOperator> operators;
    for (const OperatorIndex index : blueprint_.spec().operators) {
      Result<ChainOperator> made = make_operator(plan_.logical.at(index));
      if (!made) return made.error();
      operators.push_back(*std::move(made));
    }
    for (const EdgeIndex index : blueprint_.spec().chained) {
      const EdgeSpec& edge = plan_.logical.at(index);
      operators[position(edge.from)].consumers.push_back({edge.output, position(edge.to)});
    }
    for (const TaskEdge& exchange : outgoing_edges(plan_, blueprint_.task)) {
      const EdgeSpec& edge = plan_.logical.at(exchange.edge);
      writers_.push_back(make_writer(exchange));
      operators[position(edge.from)].consumers.push_back({edge.output, writers_.back().get()});
    }
    return operators;
  }

  std::vector<std::unique_ptr<ChannelWriter>> take_writers() { return std::move(writers_); }

  std::vector<InputChannel> input_channels() const {
    std::vector<InputChannel> channels;
    for (const ChannelSpec& channel : blueprint_.inputs) {
      const EdgeSpec& edge = plan_.logical.at(channel.edge);
      channels.push_back({.input = edge.input,
                          .read_first = edge.read_first,
                          .records = records_of(*blueprint_.job, edge)});
    }
    return channels;
  }

  OperatorContext context_of(std::size_t index, const Clock& clock) const {
    const TaskSpec& task = blueprint_.spec();
    const OperatorSpec& spec = plan_.logical.at(task.operators[index]);
    return {.name = spec.name,
            .id = spec.id,
            .named = spec.named,
            .subtask = blueprint_.subtask,
            .parallelism = task.parallelism,
            .key_groups = task.key_groups().range_of(blueprint_.subtask),
            .max_parallelism = task.max_parallelism,
            .emission = plan_.mode == Mode::kBatch ? Emission::kAtEnd : Emission::kEveryUpdate,
            .clock = &clock,
            .log = &blueprint_.job->log};
  }

 private:
  Result<ChainOperator> make_operator(const OperatorSpec& spec) {
    const OperatorCode& code = blueprint_.job->code.operators.at(spec.id);
    std::vector<BatchPtr> outputs;
    std::vector<std::string> tags;
    for (std::size_t i = 0; i < spec.outputs.size(); ++i) {
      outputs.push_back(code.outputs[i]());
      if (i > 0) tags.push_back(spec.outputs[i].tag);
    }
    try {
      return ChainOperator{
          spec.name, code.make(), Outputs(std::move(outputs), std::move(tags)), {}};
    } catch (...) {
      return thrown_by(concat("the constructor of operator ", in_quotes(spec.name)),
                       std::current_exception());
    }
  }

  std::unique_ptr<ChannelWriter> make_writer(const TaskEdge& exchange) {
    const EdgeSpec& edge = plan_.logical.at(exchange.edge);
    const TaskSpec& receiver = plan_.at(exchange.to);
    const SubtaskRange to = targets(exchange.exchange, blueprint_.subtask,
                                    blueprint_.spec().parallelism, receiver.parallelism);
    const std::uint32_t channels = to.end - to.first;
    const PartitionerPlace place{.sender = blueprint_.subtask.value(),
                                 .channels = channels,
                                 .max_parallelism = receiver.max_parallelism,
                                 .seed = mix64(blueprint_.job->seed + exchange.edge.value())};
    const JobCode& code = blueprint_.job->code;
    return std::make_unique<ChannelWriter>(
        records_of(*blueprint_.job, edge), channels,
        make_partitioner(exchange.exchange, code.edges[exchange.edge.value()], place),
        [&port = port_, number = writers_.size()](std::size_t channel, Element element) {
          port.send(number, channel, std::move(element));
        },
        limits_for(channels));
  }

  std::size_t position(OperatorIndex index) const {
    const std::vector<OperatorIndex>& operators = blueprint_.spec().operators;
    return static_cast<std::size_t>(std::ranges::find(operators, index) - operators.begin());
  }

  const TaskBlueprint& blueprint_;
  const ExecutionPlan& plan_;
  TaskPort& port_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;
};

}  // namespace

std::vector<TaskBlueprint> make_blueprints(std::shared_ptr<const DeployedJob> job) {
  std::vector<TaskBlueprint> blueprints;
  std::vector<std::size_t> first_of_task;
  for (const TaskSpec& task : job->plan.tasks) {
    first_of_task.push_back(blueprints.size());
    for (std::uint32_t subtask = 0; subtask < task.parallelism; ++subtask) {
      blueprints.push_back({.job = job,
                            .task = task.id,
                            .subtask = SubtaskIndex(subtask),
                            .inputs = {},
                            .metrics = std::make_shared<TaskMetrics>(task.operators.size())});
    }
  }
  for (const ChannelSpec& channel : channels(job->plan)) {
    blueprints[first_of_task[channel.to.value()] + channel.to_subtask.value()].inputs.push_back(
        channel);
  }
  return blueprints;
}

ChannelRecords records_of(const DeployedJob& job, const EdgeSpec& edge) {
  const LogicalPlan& plan = job.plan.logical;
  const OperatorCode& from = job.code.operators.at(plan.at(edge.from).id);
  return {.type = edge.output < from.types.size() ? from.types[edge.output] : nullptr,
          .prototype = from.outputs[edge.output](),
          .edge = join_hash(join_hash(plan.at(edge.from).id.value(), edge.output),
                            join_hash(plan.at(edge.to).id.value(), edge.input))};
}

std::vector<TaskEdge> outgoing_edges(const ExecutionPlan& plan, TaskId task) {
  std::vector<TaskEdge> outgoing;
  for (const TaskEdge& edge : plan.edges) {
    if (edge.from == task) outgoing.push_back(edge);
  }
  return outgoing;
}

std::vector<TaskWiring> wire_up(std::span<const TaskBlueprint> blueprints) {
  const auto id_of = [](std::size_t position) {
    return SubtaskId(static_cast<std::uint32_t>(position));
  };
  std::vector<std::size_t> first_of_task;
  std::vector<TaskWiring> wirings(blueprints.size());
  for (std::size_t i = 0; i < blueprints.size(); ++i) {
    const TaskBlueprint& blueprint = blueprints[i];
    if (blueprint.subtask == SubtaskIndex(0)) first_of_task.push_back(i);
    wirings[i].receivers.resize(outgoing_edges(blueprint.job->plan, blueprint.task).size());
  }
  for (std::size_t receiver = 0; receiver < blueprints.size(); ++receiver) {
    const std::vector<ChannelSpec>& inputs = blueprints[receiver].inputs;
    for (std::uint32_t input = 0; input < inputs.size(); ++input) {
      const ChannelSpec& channel = inputs[input];
      const std::size_t sender = first_of_task[channel.from.value()] + channel.from_subtask.value();
      const std::uint32_t exchange = exchange_number(blueprints[sender].job->plan, channel);
      std::vector<PeerAddress>& receivers = wirings[sender].receivers[exchange];
      const auto number = static_cast<std::uint32_t>(receivers.size());
      wirings[receiver].senders.push_back(
          {.subtask = id_of(sender), .exchange = exchange, .channel = number});
      receivers.push_back({.subtask = id_of(receiver), .channel = input});
    }
  }
  return wirings;
}

Result<std::unique_ptr<TaskRunner>> make_task_runner(const TaskBlueprint& blueprint, TaskPort& port,
                                                     const Clock& clock, TaskStart start) {
  Assembly assembly(blueprint, port);
  Result<std::vector<ChainOperator>> operators = assembly.make_operators();
  if (!operators) return operators.error();
  auto runner = std::make_unique<TaskRunner>(Chain(*std::move(operators)),
                                             assembly.input_channels(), assembly.take_writers(),
                                             port, clock, *blueprint.metrics, std::move(start));
  Status opened =
      runner->open([&](std::size_t index) { return assembly.context_of(index, clock); });
  if (!opened) return opened.error();
  return runner;
}

}  // namespace millrace::detail
