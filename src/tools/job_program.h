// The program of a job, before it is on a cluster: a file that can be run.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "millrace/core/result.h"

namespace millrace::detail {

// Whether it is there and can be run; its absolute path.
Result<std::string> find_program(const std::string& path);

Result<std::string> sha256_of_file(const std::string& path);

// What the program prints for --plan=submission and the arguments: plan and settings, in a form
// that the coordinator reads. If it fails, the error has what it said. `interrupted` ends it.
Result<std::string> describe_program(const std::string& path,
                                     std::span<const std::string> arguments,
                                     const std::function<bool()>& interrupted);

}  // namespace millrace::detail
