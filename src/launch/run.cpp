#include "millrace/launch/run.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>
#include <tuple>

#include "millrace/actors/embedded_cluster.h"
#include "millrace/coordination/job_origin.h"
#include "millrace/coordination/submission.h"
#include "millrace/coordination/worker/settings.h"
#include "millrace/core/config/arguments.h"
#include "millrace/core/config/config.h"
#include "millrace/core/config/help_text.h"
#include "millrace/core/config/load_config.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/core/thrown.h"
#include "millrace/launch/host_main.h"
#include "millrace/launch/job_storage.h"
#include "millrace/launch/job_watch.h"
#include "millrace/launch/signals.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/plan/plan_text.h"
#include "millrace/plan/plan_validation.h"

namespace millrace {
namespace {

constexpr int kFinished = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// Flags that set an option.
constexpr std::pair<std::string_view, std::string_view> kFlagsOfOptions[] = {
    {"parallelism", kDefaultParallelism.key},
    {"mode", kRuntimeMode.key},
    {"checkpoint-interval", kCheckpointInterval.key},
    {"checkpoint-dir", kCheckpointDirectory.key},
    {"savepoint-dir", kSavepointDirectory.key},
    {"state-backend", kStateBackend.key},
    {"state-memory", kStateMemory.key},
};

Result<Config> load_config(const Arguments& arguments) {
  std::vector<ConfigFlag> flags = arguments.settings;
  for (const auto& [name, key] : kFlagsOfOptions) {
    if (const Argument* flag = arguments.find_engine_flag(name)) {
      flags.push_back({std::string(key), *flag->text, concat("--", name)});
    }
  }
  return millrace::load_config(kEngineOptions, arguments.find_engine_flag("config"),
                               std::move(flags));
}

std::uint32_t parallelism_of(const Config& config) {
  const std::int64_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  return static_cast<std::uint32_t>(config.get(kDefaultParallelism).value_or(cores));
}

bool is_directory(std::string_view key) {
  return key == kCheckpointDirectory.key || key == kSavepointDirectory.key;
}

// As another process finds it, which begins elsewhere.
std::string whole_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return path.empty() || error ? path : absolute.lexically_normal().native();
}

// Runs the job function, which fills the builder.
Status describe_job(detail::JobBuilder& builder, const JobFunction& job_function) {
  Job job(builder);
  try {
    builder.call(job_function, job);
  } catch (const detail::BadParameter&) {
    return builder.parameter_status();
  } catch (...) {
    return detail::thrown_by("the job function", std::current_exception());
  }
  return {};
}

Result<Logging> open_log(const Config& config) {
  const LogLevel level = config.get(kLogLevel);
  const LogFormat format = config.get(kLogFormat);
  const std::string file = config.get(kLogFile);
  return file.empty() ? Logging(level, format) : Logging::to_file(file, level, format);
}

// What the job function said, with the parameters that it was given.
Status check_described(const detail::JobBuilder& builder) {
  if (!builder.parameter_status()) return builder.parameter_status();
  return builder.parameters().check_all_known();
}

struct PreparedJob {
  detail::ExecutionPlan plan;
  detail::JobCode code;
};

Result<PreparedJob> prepare(detail::JobBuilder& builder, const Config& config) {
  detail::PlanBuilder& plan = builder.plan();
  plan.set_mode(config.get(kRuntimeMode));
  plan.set_parallelism(parallelism_of(config));
  plan.set_max_parallelism(static_cast<std::uint32_t>(config.get(kMaxParallelism).value_or(0)));
  plan.set_chaining(config.get(kOperatorChaining));
  Result<detail::BuiltJob> built = builder.build();
  if (!built) return built.error();
  Result<detail::ExecutionPlan> planned = detail::make_execution_plan(built->plan);
  if (!planned) return planned.error();
  return PreparedJob{*std::move(planned), std::move(built->code)};
}

// A standard stream that was closed would give its descriptor to the next file that is opened, and
// what is printed would go there.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) std::ignore = open("/dev/null", O_RDWR);
  }
}

// Keyed state that was divided into key groups stays so: a number that nobody gives is that of what
// the job goes on from. Whoever reads that again says what is wrong with it.
Status keep_key_groups(detail::ExecutionPlan& plan, const detail::ExecutionSettings& settings) {
  if (plan.logical.max_parallelism != 0) return {};
  const auto origin = detail::read_origin(settings, plan.logical.job);
  if (!origin || !*origin) return {};
  detail::LogicalPlan logical = plan.logical;
  logical.max_parallelism = detail::key_groups_of(logical, **origin);
  Result<detail::ExecutionPlan> planned = detail::make_execution_plan(logical);
  if (!planned) return planned.error();
  plan = *std::move(planned);
  return {};
}

// Starts the job on a cluster of its own, and returns what `watch` does: how it ended.
template <class Watch>
Status run_prepared(PreparedJob job, const Config& config, const RestoreChoice& restore,
                    Watch watch) {
  const Result<Logging> logging = open_log(config);
  if (!logging) return logging.error();
  const Logger log = logging->logger("job");
  for (const std::string& warning : detail::warnings(job.plan.logical)) log.warn(warning);
  const Result<JobStorage> storage = JobStorage::open(job.plan, config, restore);
  if (!storage) return storage.error();
  if (Status kept = keep_key_groups(job.plan, storage->settings()); !kept) return kept;
  detail::EmbeddedCluster cluster({}, *logging);
  auto running = cluster.start(std::move(job.plan), std::move(job.code), storage->settings());
  Status result = running ? watch(**running) : Status(running.error());
  if (!result && !config.get(kLogFile).empty()) log.error(result.error().message());
  return result;
}

class Program {
 public:
  Program(const std::string& name, const JobFunction& job) : name_(name), job_function_(job) {}

  int run(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    Result<Arguments> arguments = split_arguments(words, kEngineFlags);
    if (!arguments) return usage(arguments.error());
    if (!arguments->rest.empty()) {
      return usage(
          invalid_argument(concat("unexpected argument ", in_quotes(arguments->rest.front()),
                                  "; parameters are given as --name=value")));
    }
    detail::JobBuilder builder(
        name_, Parameters(arguments->parameters, kEngineFlags),
        arguments->help ? detail::OnBadParameter::kGoOn : detail::OnBadParameter::kStop);
    const Status described = describe_job(builder, job_function_);
    if (arguments->help) {
      return print(help_text(name_, kEngineFlags, builder.parameters().declared()));
    }
    if (Status well = check_described(builder); !well) return usage(well.error());
    if (!described) return fail(described.error());
    if (const Argument* host = arguments->find_engine_flag("host")) {
      return run_host(name_, *host->text, builder);
    }
    Result<Config> config = load_config(*arguments);
    if (!config) return usage(config.error());
    const Result<Asked> asked = asked_by(*arguments);
    if (!asked) return usage(asked.error());
    Result<PreparedJob> job = prepare(builder, *config);
    if (!job) return fail(job.error());
    const Argument* plan = arguments->find_engine_flag("plan");
    return plan ? print_plan(job->plan, *config, plan->text.value_or("text"))
                : run(*std::move(job), *config, *asked);
  }

 private:
  int fail(const Error& error) {
    std::cerr << name_ << ": " << error.message() << std::endl;
    return kFailed;
  }

  int usage(const Error& error) {
    fail(error);
    std::cerr << "try: " << name_ << " --help" << std::endl;
    return kUsage;
  }

  int print_plan(const detail::ExecutionPlan& plan, const Config& config,
                 const std::string& format) {
    if (format == "text") return print(detail::to_text(plan));
    if (format == "json") return print(detail::to_json(plan));
    if (format == "capnp") return print(detail::encode(plan.logical));
    if (format == "submission") return print_submission(plan, config);
    return usage(
        invalid_argument(concat("--plan=", format, ": expected text, json, capnp or submission")));
  }

  int print_submission(const detail::ExecutionPlan& plan, const Config& config) {
    detail::Submission submission{detail::encode(plan.logical), detail::job_settings(config)};
    for (detail::Setting& setting : submission.settings) {
      if (is_directory(setting.key)) setting.text = whole_path(setting.text);
    }
    const Result<std::string> bytes = detail::encode(submission);
    return bytes ? print(*bytes) : fail(bytes.error());
  }

  int print(std::string_view text) {
    std::cout << text << std::flush;
    if (std::cout) return kFinished;
    return fail(
        unavailable("cannot write to the standard output: is it closed, or the disk full?"));
  }

  // What flags that are no options say.
  struct Asked {
    RestoreChoice restore;
    std::optional<detail::AfterSavepoint> savepoint_on_stop;
  };

  static Result<Asked> asked_by(const Arguments& arguments) {
    Asked asked;
    if (const Argument* const flag = arguments.find_engine_flag("restore")) {
      asked.restore = RestoreChoice::parse(*flag->text);
    }
    asked.restore.allow_dropped_state =
        arguments.find_engine_flag("allow-dropped-state") != nullptr;
    asked.restore.allow_repeated_output =
        arguments.find_engine_flag("allow-repeated-output") != nullptr;
    if (const Argument* const flag = arguments.find_engine_flag("savepoint-on-stop")) {
      if (flag->text && *flag->text != "drain") {
        return invalid_argument(concat("--savepoint-on-stop=", *flag->text,
                                       ": expected drain, or no value to leave timers for later"));
      }
      asked.savepoint_on_stop =
          flag->text ? detail::AfterSavepoint::kDrain : detail::AfterSavepoint::kStop;
    }
    asked.restore.takes_savepoints = asked.savepoint_on_stop.has_value();
    return asked;
  }

  int run(PreparedJob job, const Config& config, const Asked& asked) {
    const SignalScope signals;
    const WatchSettings settings{
        .name = name_,
        .savepoint_directory = savepoint_directory(config, job.plan.logical.job),
        .on_stop = asked.savepoint_on_stop,
        .cancellation_timeout = config.get(kCancellationTimeout),
        .savepoint_timeout = config.get(kCheckpointTimeout)};
    const Status result =
        run_prepared(std::move(job), config, asked.restore,
                     [&](detail::RunningJob& running) { return watch(running, settings); });
    if (result) return kFinished;
    if (stop_signal() == 0 || result.error().code() != ErrorCode::kCancelled) {
      return fail(result.error());
    }
    std::cerr << name_ << ": stopped by " << (stop_signal() == SIGINT ? "SIGINT" : "SIGTERM")
              << " before the end of its input; what files and collect hold back until then is lost"
              << std::endl;
    return 128 + stop_signal();
  }

  const std::string& name_;
  const JobFunction& job_function_;
};

}  // namespace

int run(const std::string& name, const JobFunction& job, int argc, char** argv) {
  occupy_standard_descriptors();
  return Program(name, job).run(argc, argv);
}

Status execute(const std::string& name, const JobFunction& job_function,
               const ExecuteOptions& options) {
  std::vector<Argument> given;
  for (const auto& [parameter, text] : options.parameters) given.push_back({parameter, text});
  detail::JobBuilder builder(name, Parameters(std::move(given), kEngineFlags));
  const Status described = describe_job(builder, job_function);
  if (Status well = check_described(builder); !well) return well;
  if (!described) return described;

  ConfigSources sources;
  for (const auto& [key, value] : options.settings) sources.flags.push_back({key, value});
  Result<Config> config = Config::load(kEngineOptions, sources);
  if (!config) return config.error();
  Result<PreparedJob> job = prepare(builder, *config);
  if (!job) return job.error();
  return run_prepared(*std::move(job), *config, RestoreChoice(),
                      [](detail::RunningJob& running) { return running.result(); });
}

}  // namespace millrace
