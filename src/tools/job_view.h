// A cluster's jobs as its REST interface shows them to commands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/tools/rest_client.h"
#include "millrace/web/job_words.h"

namespace millrace::detail {

struct TaskView {
  std::string id;
  std::string name;
  std::uint32_t parallelism = 0;
  std::vector<std::string> hosts;
  std::map<std::string, std::uint64_t> metrics;  // such as read-records
};

struct JobView {
  std::string jid;
  std::string name;
  std::string phase;  // a word of kJobPhaseWords
  std::string reason;
  Duration duration{};
  std::uint64_t attempt = 0;
  std::uint32_t parallelism = 0;
  std::uint64_t completed_checkpoints = 0;
};

// A job with what a list of jobs leaves out.
struct JobDetails {
  std::string jid;
  std::string name;
  std::string phase;
  std::string reason;
  Timestamp start_time{};
  Duration duration{};
  std::uint64_t attempt = 0;
  std::uint32_t parallelism = 0;
  std::uint32_t wanted_parallelism = 0;
  std::uint64_t completed_checkpoints = 0;
  std::vector<TaskView> vertices;
};

Result<std::vector<JobView>> all_jobs(RestClient& cluster);
// The id of the job that a word means: an id, the beginning of one, or a name.
Result<std::string> find_job(RestClient& cluster, std::string_view word);

std::string path_of_job(std::string_view id, std::string_view rest = {});
Result<JobDetails> job_details(RestClient& cluster, std::string_view id);
Result<JobPhase> phase_of(const JobDetails& job);

// "running", or "failed: why".
std::string phase_text(std::string_view phase, std::string_view reason);
// In two units at most: 3d 4h, 2min 5s, 0s.
std::string readable_time(Duration time);

}  // namespace millrace::detail
