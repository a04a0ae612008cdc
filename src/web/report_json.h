// What a cluster reports as JSON, in the shapes of Flink's REST interface. Members that Flink does
// not have are Millrace's own (phase, reason, attempt, hosts...); what is not known is left out,
// not written as 0. Text that is no UTF-8 has U+FFFD in its place.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "millrace/coordination/cluster_control.h"
#include "millrace/core/time.h"

namespace millrace::detail {

std::string errors_json(std::string_view sentence);
std::string one_member_json(std::string_view name, std::string_view text);  // {"name":"text"}

std::string overview_json(std::span<const JobReport> jobs, std::span<const WorkerReport> workers);
std::string config_json();
std::string job_ids_json(std::span<const JobReport> jobs);
std::string jobs_overview_json(std::span<const JobReport> jobs, Timestamp now);
std::string job_json(const JobReport& job, Timestamp now);
std::string checkpoints_json(const JobReport& job);
std::string requirements_json(const JobReport& job);
std::string savepoint_json(const SavepointReport& savepoint);
std::string workers_json(std::span<const WorkerReport> workers);
std::string leader_json(const LeaderReport& leader);

}  // namespace millrace::detail
