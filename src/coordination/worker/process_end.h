// How the process of a host ended, in words for whoever reads what became of the job: by which
// status or signal, what was at work, and what it said last.
#pragma once

#include <optional>
#include <string>

#include "millrace/coordination/worker/crash_page.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct ProcessEnd {
  int status = 0;                         // if no signal ended it
  std::optional<int> signal = {};         // that did
  std::optional<std::string> asked = {};  // why it was to end, if it was
};

// kCancelled if it was to end, or did as its job did; kInvalidArgument if it refused what it was
// started with; kUserCode if the job's own functions were at work; else kUnavailable.
Error describe(const ProcessEnd& end, const CrashReport& report, const std::string& said_last);

}  // namespace millrace::detail
