// Which options are a job's, and go with it wherever it runs, and which a process's: where its
// cluster is, how it is reached, what proves who it is. A secret of a process never goes with a
// job.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/config/config.h"

namespace millrace::detail {

bool is_of_process(std::string_view key);

// Those that some source has set, in the options' order.
std::vector<Setting> job_settings(const Config& config);
// What a worker's processes have of it: how they speak with each other. Nothing that opens doors
// beyond that, since a job's code can read it.
std::vector<Setting> link_settings(const Config& config);

// A job's, as they hold in a process that has these of its own.
std::vector<Setting> settings_in_process(std::span<const Setting> of_job,
                                         std::span<const Setting> of_process);

// kInvalidArgument names the setting that this version does not know, or not so.
Result<Config> config_of(std::span<const Setting> settings);

}  // namespace millrace::detail
