// Whether a job can be deployed on several processes.
#pragma once

#include "millrace/actors/task_blueprint.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Whether every exchange of the job could lead to another process. The error names the operators
// between which records without binary form go.
Status check_binary_forms(const DeployedJob& job);

}  // namespace millrace::detail
