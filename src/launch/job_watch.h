// Waits for the end of a job that runs in this process: draws the status line, and heeds signals.
//
//   SIGUSR1            take a savepoint and go on
//   SIGINT, SIGTERM    stop; behind a savepoint, if that was asked for
#pragma once

#include <optional>
#include <string>

#include "millrace/core/time.h"
#include "millrace/plan/cluster.h"

namespace millrace {

struct WatchSettings {
  std::string name;                 // of the program, for messages
  std::string savepoint_directory;  // where savepoints get folders
  std::optional<detail::AfterSavepoint> on_stop;
  Duration cancellation_timeout = std::chrono::seconds(30);
  // How long it waits for a savepoint, if it is to stop behind one; otherwise as long as above.
  Duration savepoint_timeout = std::chrono::minutes(10);
};

// Returns how the job ended.
Status watch(detail::RunningJob& job, const WatchSettings& settings);

}  // namespace millrace
