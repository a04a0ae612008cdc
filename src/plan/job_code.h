// What a plan cannot hold: the code of its operators and of its typed exchanges. The job function
// gives both; a job process matches them by operator id and edge number.
//
// The factories are const and are called from any thread; each call makes an instance of its own,
// so that a restart begins with fresh copies of the user's functions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/operators/any_source.h"
#include "millrace/operators/operator.h"
#include "millrace/operators/partitioner.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

struct OperatorCode {
  OperatorFactory make;
  std::vector<std::function<BatchPtr()>> outputs;  // an empty batch for each output
  EnumeratorFactory enumerator;                    // of a source with splits
  std::vector<const Type*> types;                  // of the records of each output
  std::optional<EventTime> event_time;             // of a source, as make() puts it in
};

struct PartitionerPlace {
  std::uint32_t sender = 0;  // subtask
  std::uint32_t channels = 1;
  std::uint32_t max_parallelism = 1;
  std::uint64_t seed = 0;
};

using PartitionerFactory = std::function<std::unique_ptr<Partitioner>(const PartitionerPlace&)>;

struct JobCode {
  std::map<OperatorId, OperatorCode> operators;
  std::vector<PartitionerFactory> edges;  // by EdgeIndex; empty where the exchange needs no code
};

// The code of a plan for another that does not differ from it (fingerprint.h), where the same edges
// may have other numbers.
JobCode code_for(const LogicalPlan& wanted, const LogicalPlan& plan, JobCode code);

// The code of the plan's exchange, or the partitioner that every type shares.
std::unique_ptr<Partitioner> make_partitioner(Exchange exchange, const PartitionerFactory& typed,
                                              const PartitionerPlace& place);

}  // namespace millrace::detail
