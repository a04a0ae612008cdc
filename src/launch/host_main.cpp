#include "millrace/launch/host_main.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/job_host.h"
#include "millrace/coordination/worker/crash_page.h"
#include "millrace/coordination/worker/host_launch.h"
#include "millrace/coordination/worker/settings.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/launch/job_storage.h"
#include "millrace/launch/signals.h"
#include "millrace/plan/fingerprint.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/state/files/real_file_system.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

constexpr int kEnded = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;

// Refused is what no other process of the same executable would do better.
int status_of(const Error& reason) {
  const ErrorCode code = reason.code();
  if (code == ErrorCode::kCancelled) return kEnded;
  const bool refused = code == ErrorCode::kInvalidArgument || code == ErrorCode::kUnsupported;
  return refused ? kRefused : kFailed;
}

Result<detail::HostLaunch> read_launch(const std::string& file) {
  detail::RealFileSystem files;
  const Result<std::string> bytes = detail::read_file(files, file);
  if (!bytes) return bytes.error();
  return detail::decode_host_launch(*bytes, file);
}

// Parallelism and the like are the coordinator's; operators, edges and types must be the same.
Result<detail::BuiltJob> build_as_planned(detail::JobBuilder& described,
                                          const std::string& planned) {
  const Result<detail::LogicalPlan> expected = detail::decode_logical_plan(planned);
  if (!expected) return expected.error();
  detail::PlanBuilder& plan = described.plan();
  plan.set_mode(expected->mode);
  plan.set_parallelism(expected->parallelism);
  plan.set_max_parallelism(expected->max_parallelism);
  plan.set_chaining(expected->chaining);
  Result<detail::BuiltJob> built = described.build();
  if (!built) return built;
  if (const auto difference = detail::first_difference(*expected, built->plan)) {
    return invalid_argument(concat(
        "the job function describes another job in this process than where it was submitted: ",
        *difference,
        "; each process of a job runs it, so it may depend on the job's parameters only, and on no "
        "file, clock, environment or random number"));
  }
  detail::JobCode code = detail::code_for(*expected, built->plan, std::move(built->code));
  return detail::BuiltJob{*expected, std::move(code)};
}

std::vector<detail::TaskOnPage> tasks_of(const detail::ExecutionPlan& plan) {
  std::vector<detail::TaskOnPage> tasks;
  for (const detail::TaskSpec& task : plan.tasks) tasks.push_back({task.name, task.parallelism});
  return tasks;
}

// What the worker has to say, on standard input; that ends with the worker.
class Worker {
 public:
  // Waits up to that long for more.
  void listen(std::chrono::milliseconds time) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, static_cast<int>(time.count())) != 1) return;
    char bytes[512];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    is_gone_ = count <= 0;
    if (count > 0) said_.append(bytes, static_cast<std::size_t>(count));
  }
  bool is_gone() const { return is_gone_; }
  std::optional<std::string> next_line() {
    const std::size_t end = said_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::string line = said_.substr(0, end);
    said_.erase(0, end + 1);
    return line;
  }

 private:
  std::string said_;
  bool is_gone_ = false;
};

// As if the process had been killed: nobody here may hold it up.
[[noreturn]] void end_at_once(const Logger& log, std::string_view why, int status) {
  log.info("host ends", {{"why", why}});
  std::cout << std::flush;
  std::fflush(nullptr);
  std::_Exit(status);
}

void follow(detail::JobHost& host, const std::string& line, const Logger& log) {
  const Result<detail::HostWord> word = detail::parse_host_word(line);
  const auto address = word ? detail::parse_link_address(word->coordinator) : word.error();
  if (!address) return log.error("not understood", {{"why", address.error().message()}});
  log.info("another coordinator", {{"epoch", word->epoch}, {"coordinator", word->coordinator}});
  host.follow(word->epoch, *address);
}

void wait_for_end(detail::JobHost& host, const Logger& log) {
  const SignalScope signals;
  Worker worker;
  while (!host.wait_for(0ms)) {
    worker.listen(50ms);
    while (const auto line = worker.next_line()) follow(host, *line, log);
    if (stop_signal() != 0) end_at_once(log, "it was told to stop", 128 + stop_signal());
    if (worker.is_gone()) end_at_once(log, "its worker is gone", kFailed);
  }
}

struct Parts {
  detail::HostLaunch launch;
  detail::ExecutionPlan plan;
  detail::JobCode code;
  detail::LinkedProcess process;
  detail::LinkAddress coordinator;
  JobStorage storage;
  std::unique_ptr<detail::CrashPage> crash_page;
};

Result<Parts> prepare(detail::HostLaunch launch, const Config& config,
                      detail::JobBuilder& described) {
  Result<detail::BuiltJob> built = build_as_planned(described, launch.plan);
  if (!built) return built.error();
  Result<detail::ExecutionPlan> plan = detail::make_execution_plan(built->plan);
  if (!plan) return plan.error();
  Result<detail::LinkAddress> coordinator = detail::parse_link_address(launch.coordinator);
  if (!coordinator) return coordinator.error();
  Result<detail::LinkOptions> links = detail::link_options(config, {detail::Role::kHost});
  if (!links) return links.error();
  Result<JobStorage> storage = JobStorage::open_shared(
      plan->logical, config, {launch.checkpoints, launch.local, launch.copies});
  if (!storage) return storage.error();
  auto crash_page = detail::CrashPage::make(launch.crash_page, tasks_of(*plan));
  if (!crash_page) return crash_page.error();
  detail::LinkedProcess process{.cluster = launch.cluster,
                                .identity = to_string(launch.host),
                                .listen = {launch.listen, 0},
                                .options = *std::move(links)};
  return Parts{std::move(launch), *std::move(plan),    std::move(built->code), std::move(process),
               *coordinator,      *std::move(storage), *std::move(crash_page)};
}

// User code that never returns holds nobody up: the process ends with its part.
[[noreturn]] void run_parts(Parts parts, const Logging& logging, const Logger& log) {
  parts.crash_page->watch();
  log.info("host begins", {{"host", parts.launch.host}, {"coordinator", parts.launch.coordinator}});
  detail::JobHost host(parts.process,
                       {.id = detail::link_job_id(parts.launch.host.job),
                        .plan = std::move(parts.plan),
                        .code = std::move(parts.code),
                        .execution = parts.storage.settings(),
                        .crash_page = parts.crash_page.get(),
                        .outlives_coordinator = true,
                        .mark = detail::plan_mark(parts.launch.plan)},
                       parts.coordinator, logging);
  wait_for_end(host, log);
  const Error reason = host.reason();
  end_at_once(log, reason.message(), status_of(reason));
}

int refuse(const std::string& name, const Error& error) {
  std::cerr << name << ": " << error.message() << std::endl;
  return status_of(error);
}

}  // namespace

int run_host(const std::string& name, const std::string& file, detail::JobBuilder& described) {
  Result<detail::HostLaunch> launch = read_launch(file);
  if (!launch) return refuse(name, launch.error().with_context("--host"));
  const Result<Config> config = detail::config_of(launch->settings);
  if (!config) return refuse(name, config.error());
  // Whatever the job's settings say: its worker keeps what it says.
  const Logging logging(config->get(kLogLevel), config->get(kLogFormat));
  const Logger log = logging.logger("host");
  Result<Parts> parts = prepare(*std::move(launch), *config, described);
  if (!parts) return refuse(name, parts.error());
  run_parts(*std::move(parts), logging, log);
}

}  // namespace millrace
