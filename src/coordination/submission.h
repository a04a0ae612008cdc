// What a job's executable says of itself with --plan=submission: all that a cluster must know to
// run it, besides the executable and its arguments. It is a sealed record (docs/FORMATS.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct Submission {
  std::string plan;               // the logical plan, encoded
  std::vector<Setting> settings;  // each option that has not its default, in the options' order

  bool operator==(const Submission&) const = default;
};

Result<std::string> encode(const Submission& submission);

// `program` names in messages whose it is. kCorruption where the program printed something else,
// as one that is no job does; the plan itself is not looked at.
Result<Submission> decode_submission(std::string_view bytes, std::string_view program);

}  // namespace millrace::detail
