#include "millrace/plan/plan_text.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "millrace/core/text.h"
#include "millrace/plan/channels.h"
#include "millrace/plan/fingerprint.h"

namespace millrace::detail {
namespace {

// "1 slot", "4 slots"
std::string counted(std::uint64_t count, std::string_view noun) {
  return concat(count, ' ', noun, count == 1 ? "" : "s");
}

// One line of at most 60 characters.
std::string shortened(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string line(text.substr(0, kLongest));
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text.size() > kLongest ? line + "..." : line;
}

std::string describe_kind(const OperatorSpec& spec) {
  std::string text = spec.kind;
  if (!spec.key_schema.empty()) text += concat(" by ", shortened(spec.key_schema));
  if (spec.stateful) text += ", state";
  return text;
}

std::string describe_outputs(const OperatorSpec& spec) {
  std::string text;
  for (const OutputSpec& output : spec.outputs) {
    text += output.tag.empty() ? std::string(": ") : concat(", '", shortened(output.tag), "' ");
    text += output.schema.empty() ? "unknown" : shortened(output.schema);
  }
  return text;
}

class Printer {
 public:
  explicit Printer(const ExecutionPlan& plan) : plan_(plan) {}

  std::string print() {
    header();
    for (const TaskSpec& task : plan_.tasks) {
      text_ += concat("\ntask ", task.id.value(), ": ", task.name, " (x", task.parallelism, ")",
                      notes(task), '\n');
      print_tree(task);
      for (const TaskEdge& edge : plan_.edges) {
        if (edge.from == task.id) print_edge(task, edge);
      }
    }
    return std::move(text_);
  }

 private:
  void header() {
    text_ = concat("job ", plan_.logical.job, ": ", to_string(plan_.mode), ", parallelism ",
                   plan_.logical.parallelism, ", ", counted(plan_.max_parallelism, "key group"),
                   ", ", counted(slots_required(plan_), "slot"), ", fingerprint ",
                   fingerprint(plan_.logical), '\n');
  }

  std::string notes(const TaskSpec& task) const {
    std::string text;
    if (task.slot_sharing_group != kDefaultSlotSharingGroup) {
      text += concat(", slot sharing group ", in_quotes(task.slot_sharing_group));
    }
    if (task.max_parallelism != plan_.max_parallelism) {
      text += ", " + counted(task.max_parallelism, "key group");
    }
    return text + (task.blocking ? ", blocking" : "");
  }

  // An operator stands below and to the right of the one it reads.
  void print_tree(const TaskSpec& task) {
    std::unordered_map<OperatorIndex, OperatorIndex> producer;
    for (const EdgeIndex index : task.chained) {
      producer.emplace(plan_.logical.at(index).to, plan_.logical.at(index).from);
    }
    std::unordered_map<OperatorIndex, std::size_t> depth;
    for (const OperatorIndex index : task.operators) {
      const auto above = producer.find(index);
      depth[index] = above == producer.end() ? 1 : depth[above->second] + 1;
      const OperatorSpec& spec = plan_.logical.at(index);
      text_ += concat(std::string(2 * depth[index], ' '), spec.name, " (", describe_kind(spec), ")",
                      describe_outputs(spec), '\n');
    }
  }

  void print_edge(const TaskSpec& task, const TaskEdge& edge) {
    const TaskSpec& to = plan_.at(edge.to);
    const EdgeSpec& logical = plan_.logical.at(edge.edge);
    const OperatorSpec& target = plan_.logical.at(logical.to);
    text_ += concat("  -> ", target.name, " (x", to.parallelism, ") ", exchange(edge, logical),
                    ", ", counted(channel_count(plan_, edge), "channel"), origin(task, logical));
    if (target.inputs > 1) text_ += concat(", input ", logical.input);
    if (logical.read_first) text_ += ", read first";
    text_ += '\n';
  }

  static std::string exchange(const TaskEdge& edge, const EdgeSpec& logical) {
    if (edge.exchange != Exchange::kKeyed) return std::string(to_string(edge.exchange));
    return logical.key_schema.empty() ? "by key" : "by key " + shortened(logical.key_schema);
  }

  // Says nothing where it is the main output of the task's only or last operator.
  std::string origin(const TaskSpec& task, const EdgeSpec& edge) const {
    const OperatorSpec& from = plan_.logical.at(edge.from);
    const std::string& tag = from.outputs[edge.output].tag;
    if (!tag.empty()) return concat(", side output '", shortened(tag), "' of ", from.name);
    return edge.from == task.operators.back() ? "" : concat(", from ", from.name);
  }

  const ExecutionPlan& plan_;
  std::string text_;
};

}  // namespace

std::string to_text(const ExecutionPlan& plan) { return Printer(plan).print(); }

}  // namespace millrace::detail
