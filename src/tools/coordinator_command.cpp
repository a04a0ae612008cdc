#include "millrace/tools/coordinator_command.h"

#include <chrono>
#include <fstream>
#include <ostream>
#include <thread>

#include "millrace/core/config/help_text.h"
#include "millrace/core/config/load_config.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/launch/cluster_coordinator.h"
#include "millrace/launch/signals.h"
#include "millrace/web/rest_server.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kStopped = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::chrono::milliseconds kLook{50};

constexpr EngineFlag kFlags[] = {
    {"dir", EngineFlag::Value::kRequired, "DIR",
     "The directory that all processes of the cluster share: executables, checkpoints, and without "
     "ZooKeeper the records of jobs."},
    {"name", EngineFlag::Value::kRequired, "NAME",
     "Of this coordinator in its cluster; default: one that nobody else has."},
    {"config", EngineFlag::Value::kRequired, "FILE", "Settings in YAML; default: millrace.yaml."},
};

Result<Logging> open_log(const Config& config) {
  const std::string file = config.get(kLogFile);
  if (file.empty()) return Logging(config.get(kLogLevel), config.get(kLogFormat));
  return Logging::to_file(file, config.get(kLogLevel), config.get(kLogFormat));
}

// Where commands on this machine find it, whatever port it got.
Status tell_address(const fs::path& directory, const std::string& name, const std::string& rest) {
  const fs::path path = directory / concat(name, ".address");
  const fs::path temporary = directory / concat(".", name, ".address");
  std::ofstream file(temporary);
  file << rest << '\n';
  file.close();
  std::error_code error;
  if (file) fs::rename(temporary, path, error);
  if (file && !error) return {};
  return unavailable(concat("cannot write ", in_quotes(path.native()),
                            "; check that the directory can be written to"));
}

Status lead_until_stopped(const Config& config, const fs::path& directory,
                          const std::string& name) {
  const Result<Logging> logging = open_log(config);
  if (!logging) return logging.error();
  Result<detail::LinkOptions> options = detail::link_options(config, {detail::Role::kCoordinator});
  if (!options) return options.error();
  const ClusterCoordinatorSettings settings{
      .process = {.cluster = config.get(kClusterId),
                  .identity = name,
                  .listen = {config.get(kCoordinatorBindHost),
                             static_cast<std::uint16_t>(config.get(kCoordinatorPort))},
                  .options = *std::move(options),
                  .threads = 2},
      .directory = directory};
  auto coordinator = ClusterCoordinator::make(config, settings, *logging);
  if (!coordinator) return coordinator.error();
  auto rest = detail::RestServer::start(**coordinator, detail::rest_server_options(config),
                                        logging->logger("rest"));
  if (!rest) return rest.error();
  if (Status told = tell_address(directory, name, (*rest)->address()); !told) return told;
  logging->logger("coordinator")
      .info("listening",
            {{"links", to_string((*coordinator)->links())}, {"rest", (*rest)->address()}});
  const SignalScope signals;
  (*coordinator)->stand((*rest)->address());
  while (stop_signal() == 0) {
    std::this_thread::sleep_for(kLook);
    (*coordinator)->tend();
  }
  return {};
}

}  // namespace

int run_coordinator_command(std::span<const std::string> words, std::ostream& out,
                            std::ostream& errors) {
  const auto fail = [&](const Error& error, int status) {
    errors << "millrace coordinator: " << error.message() << std::endl;
    return status;
  };
  const Result<Arguments> arguments = split_arguments(words, kFlags);
  if (!arguments) return fail(arguments.error(), kUsage);
  if (arguments->help) {
    out << help_text("millrace coordinator", kFlags, {});
    return kStopped;
  }
  if (!arguments->parameters.empty() || !arguments->rest.empty()) {
    return fail(invalid_argument("unexpected arguments; see millrace coordinator --help"), kUsage);
  }
  const Argument* const directory = arguments->find_engine_flag("dir");
  if (directory == nullptr) {
    return fail(invalid_argument("--dir=DIR is missing: the directory that the processes of the "
                                 "cluster share"),
                kUsage);
  }
  const Argument* const name = arguments->find_engine_flag("name");
  const Result<Config> config =
      load_config(kEngineOptions, arguments->find_engine_flag("config"), arguments->settings);
  if (!config) return fail(config.error(), kUsage);
  const Status status =
      lead_until_stopped(*config, fs::absolute(*directory->text),
                         name != nullptr ? *name->text : concat("coordinator-", getpid()));
  return status ? kStopped : fail(status.error(), kFailed);
}

}  // namespace millrace
