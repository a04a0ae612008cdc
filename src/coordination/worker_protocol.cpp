#include "millrace/coordination/worker_protocol.h"

#include <algorithm>

#include "millrace/core/checksum.h"
#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kJobDigits = 32;

bool is_job(std::string_view text) {
  return text.size() == kJobDigits && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const Result<std::uint16_t> port = parse_text<std::uint16_t>(text.substr(colon + 1));
  return port && *port != 0 && text.find_first_of(" /") == std::string_view::npos;
}

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) return is_host_and_port(text.substr(scheme.size()));
  }
  return false;
}

}  // namespace

std::string to_string(const HostId& host) { return concat(host.job, '-', host.number); }

Result<HostId> parse_host_id(std::string_view text) {
  const std::string_view job = text.substr(0, std::min(text.find('-'), text.size()));
  const auto number = parse_text<std::uint64_t>(text.substr(std::min(job.size() + 1, text.size())));
  HostId host{std::string(job), number.value_or(std::uint64_t{0})};
  if (is_job(job) && number && to_string(host) == text) return host;
  return invalid_argument(concat(in_quotes(text), " names no host; expected the job's ", kJobDigits,
                                 " hexadecimal digits, a dash and a number, such as ",
                                 std::string(kJobDigits, '0'), "-1"));
}

std::string to_string(const LeaderAddress& address) {
  return concat(address.links, ' ', address.rest);
}

Result<LeaderAddress> parse_leader_address(std::string_view text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  LeaderAddress address{std::string(text.substr(0, space)),
                        std::string(text.substr(std::min(space + 1, text.size())))};
  if (is_host_and_port(address.links) && is_url(address.rest)) return address;
  return invalid_argument(
      concat(in_quotes(text),
             " is no leader's address; expected where its links and its REST interface listen, "
             "such as 10.0.0.1:6123 http://10.0.0.1:8081: do coordinators of another version share "
             "the cluster's name?"));
}

std::uint64_t plan_mark(std::string_view plan) { return short_checksum_of(plan); }

}  // namespace millrace::detail
