#include "millrace/actors/links/binary_forms.h"

#include "millrace/core/text.h"

namespace millrace::detail {

Status check_binary_forms(const DeployedJob& job) {
  for (const TaskEdge& exchange : job.plan.edges) {
    const EdgeSpec& edge = job.plan.logical.at(exchange.edge);
    if (records_of(job, edge).type != nullptr) continue;
    return unsupported(concat(
        "the records that operator ", in_quotes(job.plan.logical.at(edge.from).name), " sends to ",
        in_quotes(job.plan.logical.at(edge.to).name),
        " have no binary form, so they cannot go to another process; give their type fields that "
        "have one (docs/reference/jobs.md), or run the job in one process"));
  }
  return {};
}

}  // namespace millrace::detail
