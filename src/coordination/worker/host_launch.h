// What a worker tells the process of a host that it starts, in a file that the flag --host names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// A plain struct: it is written as a sealed record (docs/FORMATS.md).
struct HostLaunch {
  std::string cluster;  // its id
  HostId host;
  std::string listen;       // the address that its links bind to, without a port
  std::string coordinator;  // host:port
  std::string plan;         // the logical plan to compare with, encoded
  std::vector<Setting> settings;
  std::string checkpoints;  // directory; empty: none are taken
  std::string local;        // directory of state at work; the process's own
  std::string copies;       // directory of the worker's own copies of the job's checkpoints
  std::string crash_page;   // file in which it notes what its tasks are at

  bool operator==(const HostLaunch&) const = default;
};

Result<std::string> encode(const HostLaunch& launch);
Result<HostLaunch> decode_host_launch(std::string_view bytes, std::string_view file);

// What a worker tells the process later, as a line on its standard input: who its job's coordinator
// is now.
std::string host_word(const RedirectHost& redirect);
struct HostWord {
  LeaderEpoch epoch;
  std::string coordinator;

  bool operator==(const HostWord&) const = default;
};
Result<HostWord> parse_host_word(std::string_view line);

// What the frames of the job's hosts name it by, of the id's leading digits.
JobId link_job_id(const std::string& job);

}  // namespace millrace::detail
