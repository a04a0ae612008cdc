// Collects a job's operators and edges while its job function runs, for a LogicalPlan. Their names,
// and so their ids, may come later: `.map(...).named("x")`. An unnamed operator is called by its
// kind and its ordinal among all of that kind, named ones included, so naming one operator never
// renames another.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {

class PlanBuilder {
 public:
  explicit PlanBuilder(std::string job) { plan_.job = std::move(job); }

  // What `spec.named` says is kept; otherwise `spec.name` is replaced by the automatic name.
  OperatorIndex add_operator(OperatorSpec spec);
  void rename(OperatorIndex index, std::string name);
  void connect(EdgeSpec edge);

  // For what is said about an operator after it was added, all but its name.
  OperatorSpec& at(OperatorIndex index);
  const OperatorSpec& at(OperatorIndex index) const;

  void set_mode(Mode mode) { plan_.mode = mode; }
  void set_parallelism(std::uint32_t parallelism) { plan_.parallelism = parallelism; }
  void set_max_parallelism(std::uint32_t groups) { plan_.max_parallelism = groups; }
  void set_chaining(bool chaining) { plan_.chaining = chaining; }

  // The plan with its ids, validated. The builder can go on being used.
  Result<LogicalPlan> build() const;

 private:
  LogicalPlan plan_;
  std::map<std::string, std::uint32_t> of_kind_;
};

}  // namespace millrace::detail
