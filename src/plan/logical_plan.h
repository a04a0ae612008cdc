// The job as the user wrote it: operators, the edges between them, their names and types. Pure,
// comparable data: it crosses processes (plan_codec.h), is printed and is planned from. Nothing in
// it says how many tasks run; make_execution_plan() derives that.
//
// Operators refer to each other by position. An operator's id is the hash of its name, so that
// state is found again wherever the operator moves to. A plan can hold anything until validate()
// has accepted it; PlanBuilder::build() does so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/mode.h"

namespace millrace::detail {

// Which subtasks of the consumer a record may go to. The order is part of the wire format.
enum class Exchange {
  kForward,    // from subtask i to subtask i
  kRebalance,  // to all, in turn
  kRescale,    // to the subtask's own share of them, in turn
  kRandom,
  kBroadcast,  // a copy to each
  kGlobal,     // to the first
  kKeyed,      // by the key's group
  kCustom,     // by the user's partitioner
};

// Whether an operator runs inside its neighbours' task. The order is part of the wire format.
enum class Chaining {
  kAlways,
  kHead,   // begins a chain that others may join
  kNever,  // is a chain of its own
};

using OperatorIndex =
    StrongId<struct OperatorIndexTag, std::uint32_t>;            // in LogicalPlan::operators
using EdgeIndex = StrongId<struct EdgeIndexTag, std::uint32_t>;  // in LogicalPlan::edges

inline constexpr std::uint32_t kMaxOperators = 4'096;  // of one job
inline constexpr std::uint32_t kMaxEdges = 65'536;
inline constexpr std::string_view kDefaultSlotSharingGroup = "default";

struct OutputSpec {
  std::string tag;     // empty for the main output
  std::string schema;  // the type as text; empty if unknown

  bool operator==(const OutputSpec&) const = default;
};

struct OperatorSpec {
  OperatorId id;
  std::string name;
  bool named = false;  // by the user; otherwise it is the kind and an ordinal
  std::string kind;    // "source", "map", "sum", "process", "sink"...
  bool stateful = false;
  bool source = false;
  bool sink = false;
  bool bounded = false;                          // of a source: it ends
  bool splits = false;                           // of a source: an enumerator deals them out
  bool blocking = false;                         // its code may wait, so it gets a thread
  std::optional<std::uint32_t> parallelism;      // otherwise the plan's
  std::optional<std::uint32_t> max_parallelism;  // otherwise the plan's
  bool single = false;                           // never more than one subtask
  Chaining chaining = Chaining::kAlways;
  std::string slot_sharing_group;   // empty: that of its inputs if they agree, or "default"
  std::string key_schema;           // as text; empty if not keyed
  std::vector<OutputSpec> outputs;  // the main output first; a sink has none
  std::uint32_t inputs = 0;

  bool operator==(const OperatorSpec&) const = default;
};

// Several edges into one input are a union.
struct EdgeSpec {
  OperatorIndex from;
  std::uint32_t output = 0;
  OperatorIndex to;
  std::uint32_t input = 0;
  Exchange exchange = Exchange::kForward;
  bool chosen = false;      // the user asked for this exchange: it is kept, or refused
  bool read_first = false;  // the consumer reads this bounded input to its end before the others
  std::string key_schema;

  bool operator==(const EdgeSpec&) const = default;
};

struct LogicalPlan {
  std::string job;
  Mode mode = Mode::kAutomatic;
  std::uint32_t parallelism = 1;      // of operators that do not say
  std::uint32_t max_parallelism = 0;  // key groups; 0 = from the largest parallelism
  bool chaining = true;
  std::vector<OperatorSpec> operators;
  std::vector<EdgeSpec> edges;

  const OperatorSpec& at(OperatorIndex index) const { return operators[index.value()]; }
  const EdgeSpec& at(EdgeIndex index) const { return edges[index.value()]; }

  bool operator==(const LogicalPlan&) const = default;
};

// Never changes: savepoints refer to operators by it.
OperatorId operator_id(std::string_view name);

// As messages name it: operator 'count' (sum)
std::string describe(const OperatorSpec& spec);

// How many subtasks the operator gets.
std::uint32_t parallelism_of(const LogicalPlan& plan, const OperatorSpec& spec);

// Streaming or batch, also where the plan says automatic.
Mode resolve_mode(const LogicalPlan& plan);

std::string_view to_string(Exchange exchange);

// 16 hex digits, as files and reports name operators and fingerprints.
std::string to_hex(std::uint64_t value);

}  // namespace millrace::detail
