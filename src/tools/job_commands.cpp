#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>

#include "millrace/core/text.h"
#include "millrace/core/units.h"
#include "millrace/tools/cluster_command.h"
#include "millrace/tools/columns.h"
#include "millrace/tools/job_view.h"
#include "millrace/web/report_json.h"

namespace millrace::detail {
namespace {

using std::chrono::steady_clock;

// A path that the cluster is given, which has its own working directory.
std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().native();
}

void print_raw(const ClusterCall& call, std::string_view json) { call.context.out << json << "\n"; }

struct CheckpointView {
  std::uint64_t id = 0;
  std::string status;
  bool is_savepoint = false;
  Timestamp trigger_timestamp{};
  std::string external_path;
  std::optional<std::string> failure_message;
};

void print_checkpoint(const CheckpointView& checkpoint, std::ostream& out) {
  out << "  " << (checkpoint.is_savepoint ? "savepoint " : "checkpoint ") << checkpoint.id << "  "
      << millrace::to_string(checkpoint.trigger_timestamp) << "  ";
  if (checkpoint.failure_message) {
    out << "failed: " << *checkpoint.failure_message << "\n";
  } else {
    out << (checkpoint.status == "COMPLETED" ? checkpoint.external_path : "in progress") << "\n";
  }
}

std::string parallelism_text(const JobDetails& job) {
  const bool less = job.parallelism < job.wanted_parallelism;
  return concat(job.parallelism, less ? concat(" of ", job.wanted_parallelism, " wanted") : "");
}

void print_job(const JobDetails& job, std::ostream& out) {
  out << "job " << job.jid << " " << job.name << "\n  " << phase_text(job.phase, job.reason)
      << "\n  started " << millrace::to_string(job.start_time) << ", and took "
      << readable_time(job.duration) << "\n  attempt " << job.attempt << ", parallelism "
      << parallelism_text(job) << ", " << job.completed_checkpoints << " checkpoints completed\n";
}

std::string hosts_text(const TaskView& task) {
  std::vector<std::string> hosts = task.hosts;
  for (std::string& host : hosts) {
    if (host.empty()) host = "nowhere";
  }
  return hosts.empty() ? "nowhere" : join(hosts, ", ");
}

std::string count_text(const TaskView& task, const std::string& metric) {
  const auto count = task.metrics.find(metric);
  return count == task.metrics.end() ? "" : concat(count->second);
}

void print_tasks(const std::vector<TaskView>& tasks, std::ostream& out) {
  Columns columns{{"TASK", "SUBTASKS", "RECORDS IN", "OUT", "ON"}};
  for (const TaskView& task : tasks) {
    columns.add({task.name, concat(task.parallelism), count_text(task, "read-records"),
                 count_text(task, "write-records"), hosts_text(task)});
  }
  columns.print(out);
}

}  // namespace

Result<bool> list_jobs(const ClusterCall& call) {
  if (call.has("json")) {
    const Result<std::string> answer = call.cluster.ask({.path = "/jobs/overview"});
    if (!answer) return answer.error();
    print_raw(call, *answer);
    return true;
  }
  const Result<std::vector<JobView>> jobs = all_jobs(call.cluster);
  if (!jobs) return jobs.error();
  Columns columns{{"ID", "NAME", "PHASE", "PARALLELISM", "CHECKPOINTS", "TIME", "REASON"}};
  for (const JobView& job : *jobs) {
    columns.add({job.jid, job.name, job.phase, concat(job.parallelism),
                 concat(job.completed_checkpoints), readable_time(job.duration), job.reason});
  }
  columns.print(call.context.out);
  return true;
}

Result<bool> describe_job(const ClusterCall& call) {
  struct Checkpoints {
    std::vector<CheckpointView> history;
  };
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  if (call.has("json")) {
    const Result<std::string> answer = call.cluster.ask({.path = path_of_job(*id)});
    if (!answer) return answer.error();
    print_raw(call, *answer);
    return true;
  }
  const Result<JobDetails> job = job_details(call.cluster, *id);
  if (!job) return job.error();
  const auto checkpoints =
      call.cluster.ask_for<Checkpoints>({.path = path_of_job(*id, "/checkpoints")});
  if (!checkpoints) return checkpoints.error();
  print_job(*job, call.context.out);
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, checkpoints->history.size());
  for (std::size_t i = 0; i < shown; ++i) {
    print_checkpoint(checkpoints->history[i], call.context.out);
  }
  call.context.out << "\n";
  print_tasks(job->vertices, call.context.out);
  return true;
}

namespace {

enum class WaitFor { kRunning, kCheckpoint, kFinished };

constexpr std::string_view kWaitWords[] = {"running", "checkpoint", "finished"};
constexpr std::span<const std::string_view> words_of(WaitFor) { return kWaitWords; }

struct Wait {
  WaitFor until = WaitFor::kFinished;
  Duration timeout = std::chrono::seconds(60);
};

Result<Wait> read_wait(const ClusterCall& call) {
  Wait wait;
  if (call.has("for")) {
    const Result<WaitFor> until = parse_text<WaitFor>(call.text("for"));
    if (!until) return until.error().with_context("--for");
    wait.until = *until;
  }
  if (call.has("timeout")) {
    const Result<Duration> timeout = parse_text<Duration>(call.text("timeout"));
    if (!timeout) return timeout.error().with_context("--timeout");
    wait.timeout = *timeout;
  }
  return wait;
}

bool is_reached(WaitFor until, JobPhase phase, const JobDetails& job) {
  switch (until) {
    case WaitFor::kRunning:  // one that has finished did run
      return phase == JobPhase::kRunning || ended_well(phase);
    case WaitFor::kCheckpoint:
      return job.completed_checkpoints > 0;
    case WaitFor::kFinished:
      return ended_well(phase);
  }
  return false;
}

}  // namespace

Result<bool> wait_for_job(const ClusterCall& call) {
  const Result<Wait> wait = read_wait(call);
  if (!wait) return wait.error();
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  const auto deadline = steady_clock::now() + wait->timeout;
  constexpr steady_clock::duration kNoTime{0};
  const std::string_view until = kWaitWords[static_cast<std::size_t>(wait->until)];
  while (true) {
    // As long as there is time, the leader may be changing.
    call.cluster.be_patient_for(
        std::chrono::ceil<Duration>(std::max(deadline - steady_clock::now(), kNoTime)));
    const Result<JobDetails> job = job_details(call.cluster, *id);
    if (!job) return job.error();
    const Result<JobPhase> phase = phase_of(*job);
    if (!phase) return phase.error();
    if (is_reached(wait->until, *phase, *job)) return true;
    const std::string is = phase_text(job->phase, job->reason);
    if (has_ended(*phase)) {
      return cancelled(concat("job ", *id, " will not come to ", until, ": it is ", is));
    }
    if (steady_clock::now() >= deadline) {
      return unavailable(concat("job ", *id, " did not come to ", until, " within ",
                                millrace::to_string(wait->timeout), ": it is ", is));
    }
    if (const Status paused = call.cluster.pause(); !paused) return paused.error();
  }
}

Result<bool> cancel_job(const ClusterCall& call) {
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  const auto asked =
      call.cluster.ask({.method = "PATCH", .path = path_of_job(*id, "?mode=cancel")});
  if (!asked) return asked.error();
  call.context.err << "job " << *id << " is being cancelled\n";
  return true;
}

namespace {

struct SavepointRequest {
  std::string request_id;
};

struct SavepointResult {
  std::optional<std::string> location;
  std::optional<std::string> failure;
};

struct SavepointView {
  std::optional<SavepointResult> operation;  // none while it goes on
};

// Asks for a savepoint, waits for it, and prints its path.
Result<bool> take_savepoint(const ClusterCall& call, const std::string& id, std::string_view what,
                            std::string body) {
  const auto request = call.cluster.ask_for<SavepointRequest>({.method = "POST",
                                                               .path = path_of_job(id, what),
                                                               .body = std::move(body),
                                                               .repeatable = false},
                                                              {{"request-id", "request_id"}});
  if (!request) return request.error();
  while (true) {
    const auto report = call.cluster.ask_for<SavepointView>(
        {.path = path_of_job(id, concat("/savepoints/", request->request_id))});
    if (!report) return report.error();
    if (report->operation && report->operation->failure) {
      return unavailable(concat("the savepoint failed: ", *report->operation->failure));
    }
    if (report->operation && report->operation->location) {
      call.context.out << *report->operation->location << "\n";
      return true;
    }
    if (const Status paused = call.cluster.pause(); !paused) {
      return paused.error().with_context("the savepoint goes on without being waited for");
    }
  }
}

}  // namespace

Result<bool> stop_job(const ClusterCall& call) {
  struct Wish {
    std::string targetDirectory;
    bool drain = false;
  };
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  std::string body;
  append_json(body, Wish{absolute(call.text("savepoint")), call.has("drain")});
  return take_savepoint(call, *id, "/stop", std::move(body));
}

Result<bool> save_job(const ClusterCall& call) {
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  return take_savepoint(call, *id, "/savepoints",
                        one_member_json("target-directory", absolute(call.text("dir"))));
}

namespace {

// As Flink has them for each vertex.
struct ParallelismBounds {
  std::int64_t upperBound = 0;
};

struct Requirements {
  ParallelismBounds parallelism;
};

}  // namespace

Result<bool> rescale_job(const ClusterCall& call) {
  if (!call.has("parallelism")) return invalid_argument("--parallelism=N is missing");
  const auto parallelism = call.parallelism();
  if (!parallelism) return parallelism.error();
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  const Result<JobDetails> job = job_details(call.cluster, *id);
  if (!job) return job.error();
  std::map<std::string, Requirements> vertices;
  for (const TaskView& task : job->vertices) vertices[task.id] = {{**parallelism}};
  std::string body;
  append_json(body, vertices);
  const auto asked = call.cluster.ask({.method = "PUT",
                                       .path = path_of_job(*id, "/resource-requirements"),
                                       .body = std::move(body)});
  if (!asked) return asked.error();
  call.context.err << "job " << *id << " is being rescaled to " << **parallelism << "\n";
  return true;
}

Result<bool> print_logs(const ClusterCall& call) {
  std::string query;
  if (call.has("lines")) {
    const Result<std::int64_t> lines = parse_integer(call.text("lines"));
    if (!lines || *lines < 1) {
      return invalid_argument(concat("--lines=", call.text("lines"), ": expected 1 or more"));
    }
    query = concat("?lines=", *lines);
  }
  const Result<std::string> id = find_job(call.cluster, call.word());
  if (!id) return id.error();
  const Result<std::string> said = call.cluster.ask({.path = path_of_job(*id, "/logs" + query)});
  if (!said) return said.error();
  call.context.out << *said;
  if (!said->empty() && said->back() != '\n') call.context.out << "\n";
  return true;
}

}  // namespace millrace::detail
