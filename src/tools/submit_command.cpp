#include <sys/random.h>

#include <array>
#include <filesystem>
#include <optional>
#include <ostream>

#include "millrace/core/text.h"
#include "millrace/core/units.h"
#include "millrace/tools/cluster_command.h"
#include "millrace/tools/job_program.h"
#include "millrace/tools/job_view.h"
#include "millrace/web/base64.h"

namespace millrace::detail {
namespace {

// As POST /artifacts/SHA256/run has it.
struct SubmissionJson {
  std::string id;
  std::string name;
  std::vector<std::string> arguments;
  std::string directory;
  std::string description;
  std::optional<std::uint32_t> parallelism;
  std::string restore;
  bool allow_dropped_state = false;
  bool allow_repeated_output = false;
};

Result<std::string> random_id() {
  std::array<unsigned char, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return unavailable("the system gives no random bytes");
  }
  std::string id;
  for (const unsigned char byte : bytes) id += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  return id;
}

Result<std::string> id_for(const ClusterCall& call) {
  if (!call.has("job-id")) return random_id();
  const std::string id = call.text("job-id");
  if (id.size() == 32 && id.find_first_not_of(kHexDigits) == std::string::npos) return id;
  return invalid_argument(
      concat("--job-id=", id, ": expected 32 hexadecimal digits in lower case"));
}

// A path is the cluster's to read, which has another working directory.
std::string restore_for(const ClusterCall& call) {
  const std::string from = call.text("restore");
  if (from.empty() || from == "latest" || from == "none") return from;
  return std::filesystem::absolute(from).lexically_normal().native();
}

// Settings that are given to the command are the job's too.
std::vector<std::string> arguments_for(const ClusterCall& call) {
  std::vector<std::string> arguments;
  for (const ConfigFlag& setting : call.arguments.settings) {
    arguments.insert(arguments.end(), {"-D", concat(setting.key, "=", setting.value)});
  }
  arguments.insert(arguments.end(), call.arguments.rest.begin(), call.arguments.rest.end());
  return arguments;
}

struct Submission {
  std::string program;
  std::string artifact;
  SubmissionJson job;
};

Result<Submission> prepare(const ClusterCall& call) {
  Submission submission;
  SubmissionJson& job = submission.job;
  const auto parallelism = call.parallelism();
  if (!parallelism) return parallelism.error();
  Result<std::string> id = id_for(call);
  if (!id) return id.error();
  Result<std::string> program = find_program(call.word());
  if (!program) return program.error();
  Result<std::string> artifact = sha256_of_file(*program);
  if (!artifact) return artifact.error();
  std::vector<std::string> arguments = arguments_for(call);
  const Result<std::string> description =
      describe_program(*program, arguments, call.context.patience.interrupted);
  if (!description) return description.error();
  submission.program = *std::move(program);
  submission.artifact = *std::move(artifact);
  job = {.id = *std::move(id),
         .name = call.text("name"),
         .arguments = std::move(arguments),
         .directory = std::filesystem::current_path().native(),
         .description = to_base64(*description),
         .parallelism = *parallelism,
         .restore = restore_for(call),
         .allow_dropped_state = call.has("allow-dropped-state"),
         .allow_repeated_output = call.has("allow-repeated-output")};
  return submission;
}

Status upload(RestClient& cluster, const Submission& submission) {
  const std::string path = "/artifacts/" + submission.artifact;
  const Result<std::string> sent =
      cluster.ask({.method = "PUT", .path = path, .file = submission.program});
  return sent ? Status() : sent.error().with_context("the program could not be uploaded");
}

Status post(RestClient& cluster, const Submission& submission) {
  std::string body;
  append_json(body, submission.job);
  const Result<std::string> posted =
      cluster.ask({.method = "POST",
                   .path = concat("/artifacts/", submission.artifact, "/run"),
                   .body = std::move(body)});
  return posted ? Status() : posted.error();
}

// Tells each phase of the job, until it has ended. Gives back whether it ended well.
Result<bool> follow(const ClusterCall& call, const std::string& id) {
  std::string told;
  while (true) {
    const Result<JobDetails> job = job_details(call.cluster, id);
    if (!job) return job.error();
    const Result<JobPhase> phase = phase_of(*job);
    if (!phase) return phase.error();
    const std::string is = phase_text(job->phase, job->reason);
    if (is != told) call.context.err << "job " << id << " is " << is << std::endl;
    told = is;
    if (has_ended(*phase)) return ended_well(*phase);
    if (const Status paused = call.cluster.pause(); !paused) return paused.error();
  }
}

}  // namespace

Result<bool> submit_job(const ClusterCall& call) {
  const Result<Submission> submission = prepare(call);
  if (!submission) return submission.error();
  const std::string& id = submission->job.id;
  if (const Status sent = upload(call.cluster, *submission); !sent) return sent.error();
  if (const Status posted = post(call.cluster, *submission); !posted) return posted.error();
  if (call.has("detached")) {
    call.context.out << id << std::endl;
    return true;
  }
  const Result<JobDetails> job = job_details(call.cluster, id);
  call.context.out << "job " << id << ' ' << (job ? job->name : submission->job.name) << std::endl;
  const Result<bool> well = follow(call, id);
  if (!well && well.error().code() == ErrorCode::kUnavailable) {
    return well.error().with_context(concat("job ", id, " was submitted, and may still run"));
  }
  if (!well && call.context.patience.interrupted()) {
    return cancelled(concat("interrupted; job ", id, " goes on: millrace cancel ", id, " ends it"));
  }
  return well;
}

}  // namespace millrace::detail
