// A state store in memory, for simulation and tests: gone with the process, and otherwise like a
// database that never fails. Its checkpoint is one file with all rows.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "millrace/state/state_store.h"

namespace millrace::detail {

class MemoryStateStore final : public StateStore {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  MemoryStateStore() : MemoryStateStore(Rows()) {}
  explicit MemoryStateStore(Rows rows) : rows_(std::make_shared<const Rows>(std::move(rows))) {}

  Status get(std::span<const std::string_view> keys,
             const std::function<void(std::size_t, std::string_view)>& found) override;
  std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) override;
  Status ingest(std::span<const StateRow> rows) override;
  Result<std::vector<StoredFile>> checkpoint(const CheckpointName& name,
                                             std::span<const StoredFile> base,
                                             CheckpointStore& into) override;

 private:
  std::shared_ptr<const Rows> rows() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Rows> rows_;  // never changed, but replaced
};

class MemoryStateStoreFactory final : public StateStoreFactory {
 public:
  Result<std::unique_ptr<StateStore>> make(std::string_view name) override;
  Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                              std::span<const StoredFile> files,
                                              CheckpointStore& from) override;
};

}  // namespace millrace::detail
