// Records of jobs in memory, for simulation, tests, and jobs that nobody goes on with.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

class MemoryMetadataStore final : public MetadataStore {
 public:
  Result<std::optional<JobRecord>> read(std::string_view job) override;
  Result<JobRecord> write(std::string_view job, std::uint64_t version, JobRecord record) override;

 private:
  std::optional<JobRecord> find(std::string_view job) const;

  std::mutex mutex_;
  std::map<std::string, JobRecord, std::less<>> records_;
};

}  // namespace millrace::detail
