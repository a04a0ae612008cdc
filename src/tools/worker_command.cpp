#include "millrace/tools/worker_command.h"

#include <csignal>
#include <filesystem>
#include <ostream>

#include "millrace/actors/worker_process.h"
#include "millrace/coordination/high_availability.h"
#include "millrace/core/config/load_config.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/state/files/real_file_system.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kEnded = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

constexpr std::string_view kHelp =
    R"(Usage: millrace worker --dir=DIR [--slots=N] [--config=FILE] [-D KEY=VALUE]...

Offers slots of this machine to a cluster, and runs the processes of its jobs,
until SIGTERM or SIGINT; they end with it.

  --dir=DIR      its directory, which no other worker has: executables, logs of
                 jobs' processes, their state at work
  --slots=N      how many slots it offers; default: one per core
  --config=FILE  settings in YAML; default: millrace.yaml
  -D KEY=VALUE   sets an option

Exit codes: 0 it was told to end, 1 it could not start, 2 wrong usage.
)";

constexpr EngineFlag kFlags[] = {
    {"dir", EngineFlag::Value::kRequired, "DIR", "Its directory."},
    {"slots", EngineFlag::Value::kRequired, "N", "How many slots it offers."},
    {"config", EngineFlag::Value::kRequired, "FILE", "Settings in YAML."},
};

Result<Config> config_of(const Arguments& arguments) {
  std::vector<ConfigFlag> flags = arguments.settings;
  if (const Argument* slots = arguments.find_engine_flag("slots")) {
    flags.push_back({std::string(kTaskSlots.key), *slots->text, "--slots"});
  }
  return load_config(kEngineOptions, arguments.find_engine_flag("config"), std::move(flags));
}

Result<Logging> open_log(const Config& config) {
  const std::string file = config.get(kLogFile);
  const LogLevel level = config.get(kLogLevel);
  const LogFormat format = config.get(kLogFormat);
  return file.empty() ? Logging(level, format) : Logging::to_file(file, level, format);
}

fs::path election_directory(const Config& config, const fs::path& directory) {
  const std::string named = config.get(kHighAvailabilityDirectory);
  return named.empty() ? directory / "leader" : fs::path(named);
}

// Threads that are started later have them blocked too, and sigwait() gets them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a write then fails with an error, which names what it was about
  return signals;
}

Status run(const Config& config, const fs::path& directory) {
  const sigset_t signals = block_signals();
  const Result<Logging> logging = open_log(config);
  if (!logging) return logging.error();
  const Logger log = logging->logger("worker");
  const Result<detail::WorkerSettings> settings = detail::worker_settings(config, directory);
  if (!settings) return settings.error();
  detail::RealFileSystem files;
  Result<detail::HighAvailability> agreement = detail::open_high_availability(
      config, files, election_directory(config, directory), logging->logger("election"));
  if (!agreement) return agreement.error();
  const auto worker = detail::WorkerProcess::start(*settings, *agreement->election, *logging);
  if (!worker) return worker.error();
  int signal = 0;
  sigwait(&signals, &signal);
  log.info("worker ends", {{"signal", signal}});
  return {};
}

}  // namespace

int run_worker_command(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const Error& error, int status) {
    err << "millrace worker: " << error.message() << '\n';
    if (status == kUsage) err << "try: millrace worker --help\n";
    return status;
  };
  const Result<Arguments> arguments = split_arguments(words, kFlags);
  if (!arguments) return fail(arguments.error(), kUsage);
  if (arguments->help) {
    out << kHelp << std::flush;
    return kEnded;
  }
  if (!arguments->parameters.empty() || !arguments->rest.empty()) {
    const std::string& word =
        arguments->rest.empty() ? arguments->parameters.front().name : arguments->rest.front();
    return fail(invalid_argument(concat("it takes no ", in_quotes(word))), kUsage);
  }
  const Argument* const directory = arguments->find_engine_flag("dir");
  if (!directory) return fail(invalid_argument("expected --dir=DIR"), kUsage);
  const Result<Config> config = config_of(*arguments);
  if (!config) return fail(config.error(), kUsage);
  const Status status = run(*config, *directory->text);
  return status ? kEnded : fail(status.error(), kFailed);
}

}  // namespace millrace
