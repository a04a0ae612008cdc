#include "millrace/coordination/high_availability.h"

#include "millrace/coordination/local_document_store.h"
#include "millrace/coordination/local_leader_election.h"
#include "millrace/coordination/zookeeper/zookeeper_document_store.h"
#include "millrace/core/config/options.h"

namespace millrace::detail {

Result<HighAvailability> open_high_availability(const Config& config, FileSystem& files,
                                                const std::filesystem::path& directory,
                                                const Logger& log) {
  if (config.get(kHighAvailability) == HighAvailabilityKind::kNone) {
    return HighAvailability{std::make_unique<LocalLeaderElection>(files, directory, log),
                            std::make_unique<LocalDocumentStore>(files, directory)};
  }
  Result<ZooKeeperOptions> options = zookeeper_options(config);
  if (!options) return options.error();
  auto election = std::make_unique<ZooKeeperElection>(*std::move(options), log);
  auto documents = std::make_unique<ZooKeeperDocumentStore>(*election);
  return HighAvailability{std::move(election), std::move(documents)};
}

}  // namespace millrace::detail
