#include "millrace/plan/plan_builder.h"

#include "millrace/core/check.h"
#include "millrace/core/text.h"
#include "millrace/plan/plan_validation.h"

namespace millrace::detail {

OperatorIndex PlanBuilder::add_operator(OperatorSpec spec) {
  const std::uint32_t ordinal = ++of_kind_[spec.kind];
  if (!spec.named) spec.name = concat(spec.kind, '-', ordinal);
  plan_.operators.push_back(std::move(spec));
  return OperatorIndex(static_cast<std::uint32_t>(plan_.operators.size() - 1));
}

void PlanBuilder::rename(OperatorIndex index, std::string name) {
  OperatorSpec& spec = at(index);
  spec.name = std::move(name);
  spec.named = true;
}

void PlanBuilder::connect(EdgeSpec edge) {
  check(edge.from.value() < plan_.operators.size() && edge.to.value() < plan_.operators.size(),
        "an edge joins operators that were added before");
  plan_.edges.push_back(std::move(edge));
}

OperatorSpec& PlanBuilder::at(OperatorIndex index) {
  check(index.value() < plan_.operators.size(), "the operator was added before");
  return plan_.operators[index.value()];
}

const OperatorSpec& PlanBuilder::at(OperatorIndex index) const {
  check(index.value() < plan_.operators.size(), "the operator was added before");
  return plan_.operators[index.value()];
}

Result<LogicalPlan> PlanBuilder::build() const {
  LogicalPlan plan = plan_;
  for (OperatorSpec& spec : plan.operators) spec.id = operator_id(spec.name);
  if (Status status = validate(plan); !status) return status.error();
  return plan;
}

}  // namespace millrace::detail
