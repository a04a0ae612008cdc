#include "millrace/coordination/worker/settings.h"

#include <algorithm>
#include <iterator>

#include "millrace/core/config/options.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kOfProcess[] = {
    "heartbeat.", "high-availability.", "jobmanager.",  "jobstore.",
    "rest.",      "security.",          "taskmanager.", "log.file"};
constexpr std::string_view kOfJobs[] = {"jobmanager.scheduler", "jobmanager.adaptive-scheduler."};
constexpr std::string_view kOfLinks[] = {"heartbeat.", "security."};

bool begins_with_one_of(std::string_view key, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view of) { return key.starts_with(of); });
}

template <class Wanted>
std::vector<Setting> settings_of(const Config& config, Wanted wanted) {
  std::vector<Setting> settings;
  for (const ConfigOption& option : kEngineOptions) {
    const bool set = config.origin(option.key).source != Origin::Source::kDefault;
    if (!set || !wanted(option.key)) continue;
    settings.push_back({std::string(option.key), std::string(config.text(option))});
  }
  return settings;
}

}  // namespace

bool is_of_process(std::string_view key) {
  return begins_with_one_of(key, kOfProcess) && !begins_with_one_of(key, kOfJobs);
}

std::vector<Setting> job_settings(const Config& config) {
  return settings_of(config, [](std::string_view key) { return !is_of_process(key); });
}

std::vector<Setting> link_settings(const Config& config) {
  return settings_of(config,
                     [](std::string_view key) { return begins_with_one_of(key, kOfLinks); });
}

std::vector<Setting> settings_in_process(std::span<const Setting> of_job,
                                         std::span<const Setting> of_process) {
  std::vector<Setting> settings;
  std::ranges::copy_if(of_job, std::back_inserter(settings),
                       [](const Setting& setting) { return !is_of_process(setting.key); });
  std::ranges::copy(of_process, std::back_inserter(settings));
  return settings;
}

Result<Config> config_of(std::span<const Setting> settings) {
  ConfigSources sources;
  for (const Setting& setting : settings) {
    sources.flags.push_back({setting.key, setting.text, "the setting"});
  }
  return Config::load(kEngineOptions, sources);
}

}  // namespace millrace::detail
