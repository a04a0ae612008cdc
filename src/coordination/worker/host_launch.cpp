#include "millrace/coordination/worker/host_launch.h"

#include <charconv>

#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRHST", .version = 1, .what = "launch of a host"};
constexpr std::size_t kDigits = 16;  // of 64 bits

}  // namespace

Result<std::string> encode(const HostLaunch& launch) { return seal(kFormat, launch); }

Result<HostLaunch> decode_host_launch(std::string_view bytes, std::string_view file) {
  Result<HostLaunch> launch = unseal<HostLaunch>(kFormat, bytes, file);
  if (!launch) return launch;
  const Result<HostId> host = parse_host_id(to_string(launch->host));
  if (!host) return host.error().with_context(file);
  return launch;
}

JobId link_job_id(const std::string& job) {
  std::uint64_t id = 0;
  std::from_chars(job.data(), job.data() + std::min(job.size(), kDigits), id, 16);
  return JobId(id);
}

}  // namespace millrace::detail
