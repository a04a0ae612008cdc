#include "millrace/launch/run.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "millrace/actors/embedded_cluster.h"
#include "millrace/core/arguments.h"
#include "millrace/core/config.h"
#include "millrace/core/help_text.h"
#include "millrace/core/options.h"
#include "millrace/core/text.h"
#include "millrace/launch/signals.h"
#include "millrace/launch/status_line.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/plan/plan_text.h"
#include "millrace/plan/plan_validation.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

constexpr int kFinished = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  return variables;
}

// The text of the configuration file, if there is one: the one that is named must exist.
Result<std::string> config_text(const Argument* flag, std::string& name) {
  name = flag ? *flag->text : "millrace.yaml";
  Result<std::string> text = read_config_file(name);
  if (!text && !flag && text.error().code() == ErrorCode::kNotFound) return std::string();
  return text;
}

Result<Config> load_config(const Arguments& arguments) {
  ConfigSources sources{.environment = environment()};
  Result<std::string> text = config_text(arguments.find_engine_flag("config"), sources.file_name);
  if (!text) return text.error();
  sources.file_text = *std::move(text);
  sources.flags = arguments.settings;
  if (const Argument* flag = arguments.find_engine_flag("parallelism")) {
    sources.flags.push_back({std::string(kDefaultParallelism.key), *flag->text, "--parallelism"});
  }
  if (const Argument* flag = arguments.find_engine_flag("mode")) {
    sources.flags.push_back({std::string(kRuntimeMode.key), *flag->text, "--mode"});
  }
  return Config::load(kEngineOptions, sources);
}

std::uint32_t parallelism_of(const Config& config) {
  const std::int64_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  return static_cast<std::uint32_t>(config.get(kDefaultParallelism).value_or(cores));
}

// Runs the job function, which fills the builder.
Status describe_job(detail::JobBuilder& builder, const JobFunction& job_function) {
  Job job(builder);
  try {
    builder.call(job_function, job);
  } catch (const std::exception& thrown) {
    return user_code(concat("the job function threw: ", thrown.what()));
  } catch (...) {
    return user_code("the job function threw something that is not a std::exception");
  }
  return {};
}

Result<Logging> open_log(const Config& config) {
  const LogLevel level = config.get(kLogLevel);
  const LogFormat format = config.get(kLogFormat);
  const std::string file = config.get(kLogFile);
  return file.empty() ? Logging(level, format) : Logging::to_file(file, level, format);
}

struct PlannedJob {
  detail::ExecutionPlan plan;
  detail::JobCode code;
};

Result<PlannedJob> plan_job(detail::JobBuilder& builder, const Config& config) {
  builder.plan().set_mode(config.get(kRuntimeMode));
  builder.plan().set_parallelism(parallelism_of(config));
  builder.plan().set_max_parallelism(
      static_cast<std::uint32_t>(config.get(kMaxParallelism).value_or(0)));
  builder.plan().set_chaining(config.get(kOperatorChaining));
  Result<detail::BuiltJob> built = builder.build();
  if (!built) return built.error();
  Result<detail::ExecutionPlan> plan = detail::make_execution_plan(built->plan);
  if (!plan) return plan.error();
  return PlannedJob{*std::move(plan), std::move(built->code)};
}

int fail(const std::string& name, const Error& error, int code) {
  std::cerr << name << ": " << error.message() << std::endl;
  return code;
}

int print_plan(const std::string& name, const detail::ExecutionPlan& plan,
               const std::string& format) {
  if (format == "text") {
    std::cout << detail::to_text(plan);
  } else if (format == "json") {
    std::cout << detail::to_json(plan);
  } else if (format == "capnp") {
    std::cout << detail::encode(plan.logical);
  } else {
    return fail(name, invalid_argument(concat("--plan=", format, ": expected text, json or capnp")),
                kUsage);
  }
  std::cout.flush();
  return kFinished;
}

// Waits for the end, drawing a status line and heeding signals.
Status watch(detail::RunningJob& job) {
  StatusLine line;
  bool cancelled = false;
  while (!job.wait_for(100ms)) {
    if (stop_signal() != 0 && !std::exchange(cancelled, true)) job.cancel();
    line.update(job.progress());
  }
  line.clear();
  return job.result();
}

class Program {
 public:
  Program(const std::string& name, const JobFunction& job) : name_(name), job_function_(job) {}

  int run(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    Result<Arguments> arguments = split_arguments(words, kEngineFlags);
    if (!arguments) return fail(name_, arguments.error(), kUsage);
    if (!arguments->rest.empty()) {
      return fail(
          name_,
          invalid_argument(concat("unexpected argument ", in_quotes(arguments->rest.front()),
                                  "; parameters are given as --name=value")),
          kUsage);
    }
    detail::JobBuilder builder(name_, Parameters(arguments->parameters, kEngineFlags));
    const Status described = describe_job(builder, job_function_);
    if (arguments->help) {
      std::cout << help_text(name_, kEngineFlags, builder.parameters().declared());
      return kFinished;
    }
    if (!described) return fail(name_, described.error(), kFailed);
    if (Status known = builder.parameters().check_all_known(); !known) return usage(known.error());
    if (!builder.parameter_status()) return usage(builder.parameter_status().error());
    Result<Config> config = load_config(*arguments);
    if (!config) return usage(config.error());
    return run_described(builder, *config, arguments->find_engine_flag("plan"));
  }

 private:
  int usage(const Error& error) {
    fail(name_, error, kUsage);
    std::cerr << "try: " << name_ << " --help" << std::endl;
    return kUsage;
  }

  int run_described(detail::JobBuilder& builder, const Config& config, const Argument* plan_flag) {
    Result<PlannedJob> planned = plan_job(builder, config);
    if (!planned) return fail(name_, planned.error(), kFailed);
    if (plan_flag) return print_plan(name_, planned->plan, plan_flag->text.value_or("text"));

    const Result<Logging> logging = open_log(config);
    if (!logging) return fail(name_, logging.error(), kFailed);
    const Logger log = logging->logger("job");
    for (const std::string& warning : detail::warnings(planned->plan.logical)) log.warn(warning);
    const SignalScope signals;
    detail::EmbeddedCluster cluster({}, *logging);
    auto job = cluster.start(std::move(planned->plan), std::move(planned->code));
    if (!job) return fail(name_, job.error(), kFailed);
    const Status result = watch(**job);
    if (stop_signal() != 0) return 128 + stop_signal();
    return result ? kFinished : fail(name_, result.error(), kFailed);
  }

  const std::string& name_;
  const JobFunction& job_function_;
};

}  // namespace

int run(const std::string& name, const JobFunction& job, int argc, char** argv) {
  return Program(name, job).run(argc, argv);
}

Status execute(const std::string& name, const JobFunction& job_function,
               const ExecuteOptions& options) {
  std::vector<Argument> given;
  for (const auto& [parameter, text] : options.parameters) given.push_back({parameter, text});
  detail::JobBuilder builder(name, Parameters(std::move(given), kEngineFlags));
  if (Status described = describe_job(builder, job_function); !described) return described;
  if (Status known = builder.parameters().check_all_known(); !known) return known;
  if (!builder.parameter_status()) return builder.parameter_status();

  ConfigSources sources;
  for (const auto& [key, value] : options.settings) sources.flags.push_back({key, value});
  Result<Config> config = Config::load(kEngineOptions, sources);
  if (!config) return config.error();
  Result<PlannedJob> planned = plan_job(builder, *config);
  if (!planned) return planned.error();

  const Result<Logging> logging = open_log(*config);
  if (!logging) return logging.error();
  detail::EmbeddedCluster cluster({}, *logging);
  auto job = cluster.start(std::move(planned->plan), std::move(planned->code));
  if (!job) return job.error();
  return (*job)->result();
}

}  // namespace millrace
