// By whom the coordinators of a cluster agree, as `high-availability.type` says: ZooKeeper, or a
// directory of one machine.
#pragma once

#include <filesystem>
#include <memory>

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/leader_election.h"
#include "millrace/core/config/config.h"
#include "millrace/core/log.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

struct HighAvailability {
  std::unique_ptr<LeaderElection> election;  // to be joined, before anything is read or written
  std::unique_ptr<DocumentStore> documents;  // which may need it, and ends before it
};

// kInvalidArgument names the option that is wrong. ZooKeeper is not waited for: the election says
// when it was reached. The file system outlives what is returned.
Result<HighAvailability> open_high_availability(const Config& config, FileSystem& files,
                                                const std::filesystem::path& directory,
                                                const Logger& log);

}  // namespace millrace::detail
