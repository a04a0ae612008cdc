#include "millrace/coordination/memory_metadata_store.h"

#include <utility>

namespace millrace::detail {

std::optional<JobRecord> MemoryMetadataStore::find(std::string_view job) const {
  const auto record = records_.find(job);
  return record == records_.end() ? std::nullopt : std::optional(record->second);
}

Result<std::optional<JobRecord>> MemoryMetadataStore::read(std::string_view job) {
  const std::lock_guard lock(mutex_);
  return find(job);
}

Result<JobRecord> MemoryMetadataStore::write(std::string_view job, std::uint64_t version,
                                             JobRecord record) {
  const std::lock_guard lock(mutex_);
  Status status = check_replaceable(job, find(job), version, record.epoch);
  if (!status) return status.error();
  record.version = version + 1;
  return records_.insert_or_assign(std::string(job), std::move(record)).first->second;
}

}  // namespace millrace::detail
