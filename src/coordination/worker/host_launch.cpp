#include "millrace/coordination/worker/host_launch.h"

#include <charconv>
#include <system_error>

#include "millrace/core/text.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRHST", .version = 1, .what = "launch of a host"};
constexpr std::size_t kDigits = 16;  // of 64 bits
constexpr std::string_view kWord = "coordinator ";

}  // namespace

Result<std::string> encode(const HostLaunch& launch) { return seal(kFormat, launch); }

Result<HostLaunch> decode_host_launch(std::string_view bytes, std::string_view file) {
  Result<HostLaunch> launch = unseal<HostLaunch>(kFormat, bytes, file);
  if (!launch) return launch;
  const Result<HostId> host = parse_host_id(to_string(launch->host));
  if (!host) return host.error().with_context(file);
  return launch;
}

std::string host_word(const RedirectHost& redirect) {
  return concat(kWord, redirect.epoch.value(), " ", redirect.coordinator, "\n");
}

Result<HostWord> parse_host_word(std::string_view line) {
  std::string_view rest = line;
  if (rest.starts_with(kWord)) {
    rest.remove_prefix(kWord.size());
    std::uint64_t epoch = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), epoch);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (error == std::errc() && rest.size() > 1 && rest.front() == ' ') {
      return HostWord{LeaderEpoch(epoch), std::string(rest.substr(1))};
    }
  }
  return invalid_argument(concat(in_quotes(line), " is no word of a worker to a host, which is \"",
                                 kWord, "EPOCH HOST:PORT\""));
}

JobId link_job_id(const std::string& job) {
  std::uint64_t id = 0;
  std::from_chars(job.data(), job.data() + std::min(job.size(), kDigits), id, 16);
  return JobId(id);
}

}  // namespace millrace::detail
