#include "millrace/web/rest_api.h"

#include <algorithm>
#include <limits>
#include <map>

#include "millrace/core/json/json.h"
#include "millrace/core/sha256.h"
#include "millrace/core/text.h"
#include "millrace/core/units.h"
#include "millrace/web/base64.h"
#include "millrace/web/report_json.h"
#include "millrace/web/routes.h"
#include "millrace/web/same_origin.h"

namespace millrace::detail {

struct RestApi::Route {
  std::string_view method;
  std::string_view path;
  Result<HttpAnswer> (RestApi::*answer)(const Call&) const;
  bool by_anyone = false;  // also by a coordinator that does not lead
};

constexpr RestApi::Route RestApi::kRoutes[] = {
    {"GET", "/leader", &RestApi::leader, true},
    {"GET", "/overview", &RestApi::overview},
    {"GET", "/config", &RestApi::config},
    {"GET", "/taskmanagers", &RestApi::workers},
    {"GET", "/jobs", &RestApi::job_ids},
    {"GET", "/jobs/overview", &RestApi::jobs_overview},
    {"GET", "/jobs/{job}", &RestApi::job},
    {"PATCH", "/jobs/{job}", &RestApi::change_job},
    {"GET", "/jobs/{job}/checkpoints", &RestApi::checkpoints},
    {"GET", "/jobs/{job}/logs", &RestApi::logs},
    {"POST", "/jobs/{job}/stop", &RestApi::stop},
    {"POST", "/jobs/{job}/savepoints", &RestApi::take_savepoint},
    {"GET", "/jobs/{job}/savepoints/{request}", &RestApi::savepoint},
    {"GET", "/jobs/{job}/resource-requirements", &RestApi::requirements},
    {"PUT", "/jobs/{job}/resource-requirements", &RestApi::rescale},
    {"HEAD", "/artifacts/{sha256}", &RestApi::has_artifact},
    {"PUT", "/artifacts/{sha256}", &RestApi::put_artifact},
    {"POST", "/artifacts/{sha256}/run", &RestApi::run},
};

namespace {

constexpr std::uint64_t kMostJson = std::uint64_t{24}
                                    << 20;  // a plan of 16 MiB in base64, and more
constexpr std::int64_t kFewLogLines = 100;
constexpr std::int64_t kMostLogLines = 100'000;

HttpAnswer json(std::string body, int status = 200) {
  return {.status = status, .body = std::move(body)};
}

// As Flink, which has the same paths in versions.
std::string_view without_version(std::string_view path) {
  constexpr std::string_view kVersion = "/v1";
  return path.starts_with("/v1/") ? path.substr(kVersion.size()) : path;
}

Result<std::string> read_body(const HttpRequest& request) {
  std::string body;
  while (body.size() < *request.body_size) {
    Result<std::string> part = request.next_part();
    if (!part) return part.error();
    body += *part;
  }
  return body;
}

// What is wrong with the body before it is read; nothing if it may be.
std::optional<HttpAnswer> bad_size(const HttpRequest& request, std::uint64_t most) {
  if (!request.body_size) {
    return refusal(411,
                   "the size of the body is not known; expected one header Content-Length with "
                   "its number of bytes, and no Transfer-Encoding");
  }
  if (*request.body_size <= most) return std::nullopt;
  return refusal(413,
                 concat("the body has ", *request.body_size, " bytes, and the most are ", most));
}

// Reads the body into a T, whose members may be missing; no body is an object without members.
template <class T>
Result<T> read_json(const HttpRequest& request, std::map<std::string, std::string> renames = {}) {
  Result<std::string> body = read_body(request);
  if (!body) return body.error();
  T value{};
  JsonReader reader({.renames = std::move(renames)});
  const Status read = reader.read(body->empty() ? "{}" : *body, value);
  if (!read) {
    return read.error().with_context(
        concat("the body of ", request.method, ' ', in_quotes(request.path), " as JSON"));
  }
  return value;
}

Result<std::uint32_t> parallelism_of(std::int64_t number) {
  constexpr std::int64_t kMost = 32'768;
  if (number >= 1 && number <= kMost) return static_cast<std::uint32_t>(number);
  return invalid_argument(concat("a parallelism of ", number, "; expected 1 to ", kMost));
}

bool is_job_id(std::string_view text) {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return kHexDigits.find(c) != std::string_view::npos;
         });
}

Result<std::string> job_id(const std::string& text) {
  if (is_job_id(text)) return text;
  return invalid_argument(
      concat(in_quotes(text), " is no job id; expected 32 hexadecimal digits in lower case"));
}

Result<std::string> artifact_name(const std::string& text) {
  if (is_sha256(text)) return text;
  return invalid_argument(concat(in_quotes(text),
                                 " names no artifact; expected its SHA-256 as 64 "
                                 "hexadecimal digits in lower case"));
}

// The members of a JobSubmission; the artifact is named by the path.
struct SubmissionJson {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::vector<std::string>> arguments;
  std::optional<std::string> directory;
  std::string description;  // in base64
  std::optional<std::int64_t> parallelism;
  std::optional<std::string> restore;
  std::optional<bool> allow_dropped_state;
  std::optional<bool> allow_repeated_output;
};

Result<JobSubmission> submission_of(SubmissionJson given, std::string artifact) {
  JobSubmission submission{
      .name = given.name.value_or(""),
      .artifact = std::move(artifact),
      .arguments = std::move(given.arguments).value_or(std::vector<std::string>()),
      .directory = given.directory.value_or(""),
      .restore = given.restore.value_or(""),
      .allow_dropped_state = given.allow_dropped_state.value_or(false),
      .allow_repeated_output = given.allow_repeated_output.value_or(false)};
  Result<std::string> id = job_id(given.id);
  if (!id) return id.error().with_context("id");
  submission.id = *std::move(id);
  Result<std::string> description = from_base64(given.description);
  if (!description) return description.error().with_context("description");
  submission.description = *std::move(description);
  if (given.parallelism) {
    const Result<std::uint32_t> parallelism = parallelism_of(*given.parallelism);
    if (!parallelism) return parallelism.error();
    submission.parallelism = *parallelism;
  }
  return submission;
}

// Methods that the path has, as "GET and PATCH" or "GET, PATCH".
template <class Routes>
std::vector<std::string> methods_of(const Routes& routes, std::string_view path) {
  std::vector<std::string> methods;
  for (const auto& route : routes) {
    if (match_path(route.path, path)) methods.emplace_back(route.method);
  }
  return methods;
}

HttpAnswer no_route(const HttpRequest& request, std::vector<std::string> methods) {
  if (methods.empty()) {
    return refusal(404, concat("there is no path ", in_quotes(request.path),
                               "; docs/reference/rest.md lists them"));
  }
  HttpAnswer answer = refusal(405, concat(request.method, " is not for ", in_quotes(request.path),
                                          "; expected ", join(methods, " or ")));
  answer.headers.emplace_back("Allow", join(methods, ", "));
  return answer;
}

}  // namespace

HttpAnswer RestApi::answer(const HttpRequest& request) const {
  if (!is_same_origin(request.host, request.origin)) {
    return refusal(403, concat("the request is for the host ", in_quotes(request.host),
                               request.origin.empty() ? "" : " from the page ",
                               request.origin.empty() ? "" : in_quotes(request.origin),
                               "; expected localhost or an IP address, and no other site's page"));
  }
  const std::string_view path = without_version(request.path);
  for (const Route& route : kRoutes) {
    const bool heads = request.method == "HEAD" && route.method == "GET";
    if (request.method != route.method && !heads) continue;
    std::optional<std::vector<std::string>> names = match_path(route.path, path);
    if (!names) continue;
    if (!route.by_anyone) {
      if (std::optional<HttpAnswer> other = elsewhere(request)) return *std::move(other);
    }
    Result<HttpAnswer> answer = (this->*route.answer)({request, *std::move(names)});
    return answer ? *std::move(answer) : refusal(answer.error());
  }
  return no_route(request, methods_of(kRoutes, path));
}

std::optional<HttpAnswer> RestApi::elsewhere(const HttpRequest& request) const {
  const LeaderReport leader = control_.leader();
  if (leader.here) return std::nullopt;
  if (leader.rest_address.empty()) {
    return refusal(503, concat("this coordinator does not lead, and none that does is known yet",
                               leader.trouble.empty() ? "" : ": ", leader.trouble, "; try again"));
  }
  HttpAnswer answer = refusal(
      307, concat("this coordinator does not lead; the one at ", leader.rest_address, " does"));
  answer.headers.emplace_back("Location", leader.rest_address + request.target);
  return answer;
}

Result<HttpAnswer> RestApi::leader(const Call&) const {
  return json(leader_json(control_.leader()));
}

Result<HttpAnswer> RestApi::config(const Call&) const { return json(config_json()); }

Result<HttpAnswer> RestApi::overview(const Call&) const {
  const Result<std::vector<JobReport>> jobs = control_.jobs();
  if (!jobs) return jobs.error();
  const Result<std::vector<WorkerReport>> workers = control_.workers();
  if (!workers) return workers.error();
  return json(overview_json(*jobs, *workers));
}

Result<HttpAnswer> RestApi::workers(const Call&) const {
  const Result<std::vector<WorkerReport>> workers = control_.workers();
  if (!workers) return workers.error();
  return json(workers_json(*workers));
}

Result<HttpAnswer> RestApi::job_ids(const Call&) const {
  const Result<std::vector<JobReport>> jobs = control_.jobs();
  if (!jobs) return jobs.error();
  return json(job_ids_json(*jobs));
}

Result<HttpAnswer> RestApi::jobs_overview(const Call&) const {
  const Result<std::vector<JobReport>> jobs = control_.jobs();
  if (!jobs) return jobs.error();
  return json(jobs_overview_json(*jobs, clock_.now()));
}

Result<HttpAnswer> RestApi::job(const Call& call) const {
  const Result<JobReport> job = control_.job(call.names[0]);
  if (!job) return job.error();
  return json(job_json(*job, clock_.now()));
}

Result<HttpAnswer> RestApi::checkpoints(const Call& call) const {
  const Result<JobReport> job = control_.job(call.names[0]);
  if (!job) return job.error();
  return json(checkpoints_json(*job));
}

Result<HttpAnswer> RestApi::change_job(const Call& call) const {
  const auto mode = call.request.parameters.find("mode");
  if (mode != call.request.parameters.end() && mode->second != "cancel") {
    return invalid_argument(
        concat("mode=", in_quotes(mode->second),
               "; expected cancel (POST .../stop stops a job behind a savepoint)"));
  }
  if (const Status cancelled = control_.cancel(call.names[0]); !cancelled) return cancelled.error();
  return json("{}", 202);
}

Result<HttpAnswer> RestApi::start_savepoint(const Call& call,
                                            const ClusterControl::SavepointWish& wish) const {
  const Result<std::string> request = control_.take_savepoint(call.names[0], wish);
  if (!request) return request.error();
  return json(one_member_json("request-id", *request), 202);
}

Result<HttpAnswer> RestApi::stop(const Call& call) const {
  struct Wish {
    std::optional<std::string> target_directory;
    std::optional<bool> drain;
  };
  if (auto bad = bad_size(call.request, kMostJson)) return *std::move(bad);
  const auto wish = read_json<Wish>(call.request, {{"targetDirectory", "target_directory"}});
  if (!wish) return wish.error();
  return start_savepoint(call, {.directory = wish->target_directory.value_or(""),
                                .stop = true,
                                .drain = wish->drain.value_or(false)});
}

Result<HttpAnswer> RestApi::take_savepoint(const Call& call) const {
  struct Wish {
    std::optional<std::string> target_directory;
    std::optional<bool> cancel_job;
  };
  if (auto bad = bad_size(call.request, kMostJson)) return *std::move(bad);
  const auto wish = read_json<Wish>(
      call.request, {{"target-directory", "target_directory"}, {"cancel-job", "cancel_job"}});
  if (!wish) return wish.error();
  return start_savepoint(call, {.directory = wish->target_directory.value_or(""),
                                .stop = wish->cancel_job.value_or(false)});
}

Result<HttpAnswer> RestApi::savepoint(const Call& call) const {
  const Result<SavepointReport> report = control_.savepoint(call.names[0], call.names[1]);
  if (!report) return report.error();
  return json(savepoint_json(*report));
}

Result<HttpAnswer> RestApi::requirements(const Call& call) const {
  const Result<JobReport> job = control_.job(call.names[0]);
  if (!job) return job.error();
  return json(requirements_json(*job));
}

namespace {

// Flink's bounds for each vertex. Here a job has one parallelism, so they have to agree.
struct Bounds {
  std::int64_t upper_bound() const { return parallelism.upperBound; }
  struct Parallelism {
    std::optional<std::int64_t> lowerBound;
    std::int64_t upperBound = 0;
  };
  Parallelism parallelism;
};

}  // namespace

Result<HttpAnswer> RestApi::rescale(const Call& call) const {
  if (auto bad = bad_size(call.request, kMostJson)) return *std::move(bad);
  const auto vertices = read_json<std::map<std::string, Bounds>>(call.request);
  if (!vertices) return vertices.error();
  if (vertices->empty()) {
    return invalid_argument(
        R"(no parallelism is asked for; expected {"VERTEX":{"parallelism":{"upperBound":4}}})");
  }
  const std::int64_t wanted = vertices->begin()->second.upper_bound();
  for (const auto& [vertex, bounds] : *vertices) {
    if (bounds.upper_bound() == wanted) continue;
    return unsupported(concat("vertices with upper bounds of ", wanted, " and ",
                              bounds.upper_bound(),
                              ": a job has one parallelism; ask for the same everywhere"));
  }
  const Result<std::uint32_t> parallelism = parallelism_of(wanted);
  if (!parallelism) return parallelism.error();
  if (const Status asked = control_.rescale(call.names[0], *parallelism); !asked)
    return asked.error();
  return json("{}");
}

Result<HttpAnswer> RestApi::logs(const Call& call) const {
  std::int64_t lines = kFewLogLines;
  if (const auto text = call.request.parameters.find("lines");
      text != call.request.parameters.end()) {
    const Result<std::int64_t> given = parse_integer(text->second);
    if (!given || *given < 1 || *given > kMostLogLines) {
      return invalid_argument(concat("lines=", in_quotes(text->second),
                                     "; expected a whole number from 1 to ", kMostLogLines));
    }
    lines = *given;
  }
  Result<std::string> said = control_.logs(call.names[0], static_cast<std::size_t>(lines));
  if (!said) return said.error();
  return HttpAnswer{.body = *std::move(said), .type = std::string(kTextType)};
}

Result<HttpAnswer> RestApi::has_artifact(const Call& call) const {
  const Result<std::string> name = artifact_name(call.names[0]);
  if (!name) return name.error();
  const Result<bool> has = control_.has_artifact(*name);
  if (!has) return has.error();
  if (!*has) return not_found(concat("there is no artifact ", *name, "; upload it with PUT"));
  return HttpAnswer{};
}

Result<HttpAnswer> RestApi::put_artifact(const Call& call) const {
  constexpr std::uint64_t kMost = std::uint64_t{4} << 30;
  const Result<std::string> name = artifact_name(call.names[0]);
  if (!name) return name.error();
  if (auto bad = bad_size(call.request, kMost)) return *std::move(bad);
  if (const Status put = control_.put_artifact(*name, call.request.next_part); !put) {
    return put.error();
  }
  return json("{}", 201);
}

Result<HttpAnswer> RestApi::run(const Call& call) const {
  const Result<std::string> artifact = artifact_name(call.names[0]);
  if (!artifact) return artifact.error();
  if (auto bad = bad_size(call.request, kMostJson)) return *std::move(bad);
  Result<SubmissionJson> given = read_json<SubmissionJson>(call.request);
  if (!given) return given.error();
  const Result<JobSubmission> submission = submission_of(*std::move(given), *artifact);
  if (!submission) return submission.error();
  const Result<bool> is_new = control_.submit(*submission);
  if (is_new) return json(one_member_json("jobid", submission->id));
  // A job of this id, although this one was refused, is another one.
  const bool taken = is_new.error().code() == ErrorCode::kInvalidArgument &&
                     control_.job(submission->id).has_value();
  if (taken) return refusal(409, is_new.error().message());
  return is_new.error();
}

}  // namespace millrace::detail
