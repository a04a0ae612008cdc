#include "millrace/web/report_json.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "millrace/core/units.h"
#include "millrace/web/job_words.h"

namespace millrace::detail {
namespace {

using Json = nlohmann::ordered_json;

// Names that users give need not be UTF-8.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t milliseconds(Timestamp time) { return time.time_since_epoch().count(); }
std::int64_t milliseconds(const std::optional<Timestamp>& time) {
  return time ? milliseconds(*time) : -1;
}
std::int64_t duration_of(const JobReport& job, Timestamp now) {
  return std::max<std::int64_t>((job.ended.value_or(now) - job.started).count(), 0);
}

std::int64_t count_of(std::span<const JobReport> jobs, auto is) {
  return std::ranges::count_if(jobs, [&](const JobReport& job) { return is(job.phase); });
}

constexpr std::string_view kSubtaskStates[] = {"CREATED", "SCHEDULED",  "DEPLOYING", "INITIALIZING",
                                               "RUNNING", "FINISHED",   "CANCELING", "CANCELED",
                                               "FAILED",  "RECONCILING"};

// How many subtasks of these tasks are in each state.
Json subtasks_by_state(JobPhase phase, std::span<const TaskReport> tasks) {
  Json counts = Json::object();
  for (const std::string_view state : kSubtaskStates) counts[std::string(state)] = 0;
  const auto count = [&](bool placed, std::int64_t subtasks) {
    Json& counted = counts[std::string(flink_state_of_subtask(phase, placed))];
    counted = counted.get<std::int64_t>() + subtasks;
  };
  for (const TaskReport& task : tasks) {
    const auto placed = std::ranges::count_if(task.hosts, [](auto& host) { return !host.empty(); });
    count(true, placed);
    count(false, std::max<std::int64_t>(task.parallelism - placed, 0));
  }
  return counts;
}

Json lower_case_with_total(const Json& counts) {
  Json lower = Json::object();
  std::int64_t total = 0;
  for (const auto& [state, count] : counts.items()) {
    std::string word = state;
    std::ranges::transform(word, word.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    lower[word] = count;
    total += count.get<std::int64_t>();
  }
  lower["total"] = total;
  return lower;
}

Json overview_of(const JobReport& job, Timestamp now) {
  return {{"jid", job.id},
          {"name", job.name},
          {"state", flink_state_of(job.phase)},
          {"phase", millrace::to_text(job.phase)},
          {"reason", job.reason},
          {"start-time", milliseconds(job.started)},
          {"end-time", milliseconds(job.ended)},
          {"duration", duration_of(job, now)},
          {"last-modification", milliseconds(job.ended.value_or(job.started))},
          {"attempt", job.attempt},
          {"parallelism", job.parallelism},
          {"wanted_parallelism", job.wanted_parallelism},
          {"completed_checkpoints", job.completed_checkpoints},
          {"tasks", lower_case_with_total(subtasks_by_state(job.phase, job.tasks))}};
}

Json vertex_of(const JobReport& job, const TaskReport& task, Timestamp now) {
  const bool placed = std::ranges::none_of(task.hosts, &std::string::empty) && !task.hosts.empty();
  return {{"id", task.id},
          {"name", task.name},
          {"parallelism", task.parallelism},
          {"status", flink_state_of_subtask(job.phase, placed)},
          {"start-time", milliseconds(job.started)},
          {"end-time", milliseconds(job.ended)},
          {"duration", duration_of(job, now)},
          {"hosts", task.hosts},
          {"metrics", {{"read-records", task.records_in}, {"write-records", task.records_out}}},
          {"tasks", subtasks_by_state(job.phase, {&task, 1})}};
}

std::string_view status_of(const CheckpointReport& checkpoint) {
  if (!checkpoint.failure.empty()) return "FAILED";
  return checkpoint.completed ? "COMPLETED" : "IN_PROGRESS";
}

Json checkpoint_of(const CheckpointReport& checkpoint) {
  const std::string_view status = status_of(checkpoint);
  Json json{{"@class", status == "FAILED"      ? "failed"
                       : status == "COMPLETED" ? "completed"
                                               : "in_progress"},
            {"id", checkpoint.id},
            {"status", status},
            {"is_savepoint", checkpoint.savepoint},
            {"checkpoint_type", checkpoint.savepoint ? "SAVEPOINT" : "CHECKPOINT"},
            {"trigger_timestamp", milliseconds(checkpoint.triggered)},
            {"external_path", checkpoint.path}};
  if (checkpoint.completed) {
    json["latest_ack_timestamp"] = milliseconds(checkpoint.completed);
    json["end_to_end_duration"] = (*checkpoint.completed - checkpoint.triggered).count();
  }
  if (!checkpoint.failure.empty()) json["failure_message"] = checkpoint.failure;
  return json;
}

// The newest of a job's checkpoints that is so; null if none is.
Json latest(const JobReport& job, auto is) {
  const auto found = std::find_if(job.checkpoints.rbegin(), job.checkpoints.rend(), is);
  return found == job.checkpoints.rend() ? Json() : checkpoint_of(*found);
}

std::int64_t port_of(std::string_view address) {
  std::int64_t port = -1;
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return port;
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return port;
}

}  // namespace

std::string errors_json(std::string_view sentence) {
  return text_of(Json::object({{"errors", Json::array({sentence})}}));
}

std::string one_member_json(std::string_view name, std::string_view text) {
  return text_of(Json::object({{std::string(name), text}}));
}

std::string overview_json(std::span<const JobReport> jobs, std::span<const WorkerReport> workers) {
  std::int64_t slots = 0;
  std::int64_t free_slots = 0;
  for (const WorkerReport& worker : workers) {
    slots += worker.slots;
    free_slots += worker.free_slots;
  }
  const auto is = [](JobPhase which) { return [which](JobPhase phase) { return phase == which; }; };
  return text_of(
      {{"taskmanagers", workers.size()},
       {"slots-total", slots},
       {"slots-available", free_slots},
       {"jobs-running", count_of(jobs, [](JobPhase phase) { return !has_ended(phase); })},
       {"jobs-finished", count_of(jobs, ended_well)},
       {"jobs-cancelled", count_of(jobs, is(JobPhase::kCancelled))},
       {"jobs-failed", count_of(jobs, is(JobPhase::kFailed))},
       {"flink-version", MILLRACE_VERSION},
       {"millrace-version", MILLRACE_VERSION}});
}

std::string config_json() {
  return text_of({{"refresh-interval", 3'000},
                  {"timezone-name", "UTC"},
                  {"timezone-offset", 0},
                  {"flink-version", MILLRACE_VERSION},
                  {"millrace-version", MILLRACE_VERSION},
                  {"features",
                   {{"web-submit", false},
                    {"web-cancel", true},
                    {"web-rescale", true},
                    {"web-history", false}}}});
}

std::string job_ids_json(std::span<const JobReport> jobs) {
  Json list = Json::array();
  for (const JobReport& job : jobs) {
    list.push_back({{"id", job.id}, {"status", flink_state_of(job.phase)}});
  }
  return text_of(Json::object({{"jobs", std::move(list)}}));
}

std::string jobs_overview_json(std::span<const JobReport> jobs, Timestamp now) {
  Json list = Json::array();
  for (const JobReport& job : jobs) list.push_back(overview_of(job, now));
  return text_of(Json::object({{"jobs", std::move(list)}}));
}

std::string job_json(const JobReport& job, Timestamp now) {
  Json json = overview_of(job, now);
  json.erase("tasks");
  json["isStoppable"] = false;  // as Flink says it: there is stop with savepoint alone
  json["now"] = milliseconds(now);
  json["vertices"] = Json::array();
  for (const TaskReport& task : job.tasks) json["vertices"].push_back(vertex_of(job, task, now));
  json["status-counts"] = subtasks_by_state(job.phase, job.tasks);
  return text_of(json);
}

std::string checkpoints_json(const JobReport& job) {
  const auto in_progress = std::ranges::count(job.checkpoints, "IN_PROGRESS", status_of);
  const auto failed = std::ranges::count(job.checkpoints, "FAILED", status_of);
  Json history = Json::array();
  for (auto at = job.checkpoints.rbegin(); at != job.checkpoints.rend(); ++at) {
    history.push_back(checkpoint_of(*at));
  }
  const auto completed = [](bool savepoint) {
    return [savepoint](const CheckpointReport& checkpoint) {
      return status_of(checkpoint) == "COMPLETED" && checkpoint.savepoint == savepoint;
    };
  };
  return text_of(
      {{"counts",
        {{"completed", job.completed_checkpoints},
         {"in_progress", in_progress},
         {"failed", failed},
         {"total", static_cast<std::int64_t>(job.completed_checkpoints) + in_progress + failed}}},
       {"latest",
        {{"completed", latest(job, completed(false))},
         {"savepoint", latest(job, completed(true))},
         {"failed", latest(job, [](const auto& one) { return status_of(one) == "FAILED"; })},
         {"restored", nullptr}}},
       {"history", std::move(history)}});
}

std::string requirements_json(const JobReport& job) {
  Json json = Json::object();
  for (const TaskReport& task : job.tasks) {
    json[task.id] = {{"parallelism", {{"lowerBound", 1}, {"upperBound", task.parallelism}}}};
  }
  return text_of(json);
}

std::string savepoint_json(const SavepointReport& savepoint) {
  const bool failed = !savepoint.failure.empty();
  Json json{{"status", {{"id", savepoint.completed || failed ? "COMPLETED" : "IN_PROGRESS"}}}};
  if (failed) {
    json["operation"] = {
        {"failure", savepoint.failure},
        {"failure-cause", {{"class", "millrace.Error"}, {"stack-trace", savepoint.failure}}}};
  } else if (savepoint.completed) {
    json["operation"] = {{"location", savepoint.path}};
  }
  return text_of(json);
}

std::string workers_json(std::span<const WorkerReport> workers) {
  Json list = Json::array();
  for (const WorkerReport& worker : workers) {
    list.push_back({{"id", worker.id},
                    {"path", worker.address},
                    {"dataPort", port_of(worker.address)},
                    {"timeSinceLastHeartbeat", milliseconds(worker.heard)},
                    {"slotsNumber", worker.slots},
                    {"freeSlots", worker.free_slots}});
  }
  return text_of(Json::object({{"taskmanagers", std::move(list)}}));
}

std::string leader_json(const LeaderReport& leader) {
  return text_of({{"here", leader.here}, {"address", leader.rest_address}});
}

}  // namespace millrace::detail
