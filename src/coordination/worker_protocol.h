// What the leader of a cluster and its workers say to each other, as plain data.
//
//   a worker comes       worker -> leader   RegisterWorker   with the hosts that it has still
//   a job is deployed    leader -> worker   StartHost        fetch the program, start the process
//                        worker -> leader   FetchArtifact    until it has all of it
//                        leader -> worker   ArtifactPart
//   another leads        leader -> worker   RedirectHost     for the hosts of jobs that may go on
//   a host ends          worker -> leader   HostEnded        whatever the reason
//   a job ends           leader -> worker   StopHost         answered with HostEnded
//   somebody asks        leader -> worker   ReadLog
//                        worker -> leader   LogRead
//
// A host speaks with its job's coordinator over a link of its own (host_protocol.h). It does not
// outlive its worker.
//
// Both ends of a link are told when it is lost. A worker then looks for the leader anew, and its
// hosts run on.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// One host process; a job that needs another on the same worker gives it another number.
struct HostId {
  std::string job;  // 32 hexadecimal digits
  std::uint64_t number = 0;

  friend auto operator<=>(const HostId&, const HostId&) = default;
};
std::string to_string(const HostId& host);  // JOB-NUMBER; also its identity on links
// As a link's peer, a flag or a file's name gives it; anything but to_string()'s is refused.
Result<HostId> parse_host_id(std::string_view text);

// Where the leader's process is reached, by the links of workers and by commands.
struct LeaderAddress {
  std::string links;  // host:port
  std::string rest;   // http://host:port

  bool operator==(const LeaderAddress&) const = default;
};
// As the election carries it.
std::string to_string(const LeaderAddress& address);
Result<LeaderAddress> parse_leader_address(std::string_view text);

// An option of the engine, as it holds for a job.
struct Setting {
  std::string key;
  std::string text;

  bool operator==(const Setting&) const = default;
};

// --- from the leader to workers ---

struct StartHost {
  HostId host;
  std::string artifact;  // its SHA-256
  std::uint64_t artifact_bytes = 0;
  std::vector<std::string> arguments;
  std::string directory;  // in which relative paths begin
  std::string plan;       // the logical plan that the host must come to as well, encoded
  std::vector<Setting> settings;
  std::string coordinator;  // host:port, where the job's coordinator listens for it
  std::string checkpoints;  // the directory of the job's checkpoints
};
// Tells plans apart, parallelism included, by what StartHost carries of them.
std::uint64_t plan_mark(std::string_view plan);
struct StopHost {
  HostId host;
};
constexpr std::uint64_t kArtifactPartBytes = 1'024 * 1'024;  // of each part but the last
struct ArtifactPart {
  std::string artifact;
  std::uint64_t offset = 0;
  std::string bytes;
  std::optional<Error> error;  // instead
};
// Another coordinator has the host's job from now on.
struct RedirectHost {
  HostId host;
  LeaderEpoch epoch;
  std::string coordinator;  // host:port
};
struct ReadLog {
  std::uint64_t request = 0;
  std::string job;
  std::uint64_t bytes = 0;  // of the end of each host's
};

// --- from workers to the leader ---

struct RegisterWorker {
  std::uint32_t slots = 0;
  std::vector<HostId> hosts;
};
struct HostEnded {
  HostId host;
  // In a sentence, with the signal or status, the operator that was at work and the end of what the
  // process said.
  Error error;
};
struct FetchArtifact {
  std::string artifact;
  std::uint64_t offset = 0;
};
struct LogRead {
  std::uint64_t request = 0;
  std::string text;
};

}  // namespace millrace::detail
