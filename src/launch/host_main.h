// A job's executable as a host: the process that a worker starts for a part of the job, with
// --host=FILE. It runs the same job function as everywhere, must come to the plan that its
// coordinator has, and then does what that says until the job ends.
#pragma once

#include <string>

#include "millrace/api/job_builder.h"

namespace millrace {

// `file` is a HostLaunch, `described` what the job function has said. Returns the exit code: 0 the
// job has ended, 1 the coordinator is gone or something failed, 2 it cannot take part in the job.
// Where the worker is gone, or tells it to stop, the process ends at once, with whatever it is at.
int run_host(const std::string& name, const std::string& file, detail::JobBuilder& described);

}  // namespace millrace
