// Runs a job function as a program:
//   int main(int argc, char** argv) { return run("name", job_function, argc, argv); }
//
// Reads the command line, the configuration and the environment, plans the job and runs it in this
// process until it ends. Results go to standard output or where the job's sinks say; messages go to
// standard error. Returns the exit code: 0 finished, 1 failed, 2 wrong usage, 130 or 143 stopped by
// a signal.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "millrace/api/job.h"

namespace millrace {

using JobFunction = std::function<void(Job&)>;

int run(const std::string& name, const JobFunction& job, int argc, char** argv);

struct ExecuteOptions {
  std::map<std::string, std::string> parameters;  // as --name=value gives them
  std::map<std::string, std::string> settings;    // as -D key=value gives them
};

// Runs a job from within a program and returns how it ended. Nothing is read from the environment.
Status execute(const std::string& name, const JobFunction& job, const ExecuteOptions& options = {});

}  // namespace millrace
