#include "millrace/tools/job_view.h"

#include <algorithm>

#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kIdSize = 32;

bool is_id(std::string_view word) {
  return word.size() == kIdSize && word.find_first_not_of(kHexDigits) == std::string_view::npos;
}

Error ambiguous(std::string_view word, const std::vector<JobView>& jobs) {
  std::vector<std::string> named;
  for (const JobView& job : jobs) named.push_back(concat(job.jid, ' ', in_quotes(job.name)));
  return invalid_argument(concat(in_quotes(word), " may be any of ", jobs.size(),
                                 " jobs: ", join(named, " or "), "; give more of the id"));
}

}  // namespace

Result<std::vector<JobView>> all_jobs(RestClient& cluster) {
  struct Jobs {
    std::vector<JobView> jobs;
  };
  auto read = cluster.ask_for<Jobs>({.path = "/jobs/overview"});
  if (!read) return read.error();
  return std::move(read->jobs);
}

Result<std::string> find_job(RestClient& cluster, std::string_view word) {
  if (is_id(word)) return std::string(word);
  if (word.empty()) return invalid_argument("JOB is empty; expected an id or a name");
  Result<std::vector<JobView>> jobs = all_jobs(cluster);
  if (!jobs) return jobs.error();
  std::erase_if(*jobs,
                [&](const JobView& job) { return !job.jid.starts_with(word) && job.name != word; });
  if (jobs->size() == 1) return jobs->front().jid;
  if (jobs->size() > 1) return ambiguous(word, *jobs);
  return not_found(
      concat("there is no job ", in_quotes(word), "; millrace list shows the cluster's jobs"));
}

std::string path_of_job(std::string_view id, std::string_view rest) {
  return concat("/jobs/", id, rest);
}

Result<JobDetails> job_details(RestClient& cluster, std::string_view id) {
  return cluster.ask_for<JobDetails>({.path = path_of_job(id)}, {{"start-time", "start_time"}});
}

Result<JobPhase> phase_of(const JobDetails& job) {
  const Result<JobPhase> phase = parse_text<JobPhase>(job.phase);
  if (phase) return *phase;
  return unsupported(concat("the cluster says that job ", job.jid, " is in a phase ",
                            in_quotes(job.phase), ", which this version does not know"));
}

std::string phase_text(std::string_view phase, std::string_view reason) {
  return concat(phase, reason.empty() ? "" : ": ", reason);
}

std::string readable_time(Duration time) {
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}};
  std::int64_t left = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  std::vector<std::string> parts;
  for (const auto& [seconds, name] : kUnits) {
    if (left >= seconds) parts.push_back(concat(left / seconds, name));
    if (parts.size() == 2) break;
    left %= seconds;
  }
  return parts.empty() ? "0s" : join(parts, " ");
}

}  // namespace millrace::detail
