// State in a sorted map: for simulation and for tests, where nothing but the checkpoint store is to
// touch a disk. It grows with all that it holds; a scan and an upload copy its rows; a checkpoint
// is one file with all rows, whatever its base (docs/FORMATS.md).
//
// As every StateStore, for two threads. The factory's calls may come from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/state/state_store.h"

namespace millrace::detail {

class MemoryStateStore final : public StateStore {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  explicit MemoryStateStore(Rows rows = {}) : rows_(std::move(rows)) {}

  Status get(std::span<const std::string_view> keys,
             const std::function<void(std::size_t, std::string_view)>& found) override;
  std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) override;
  Status ingest(std::span<const StateRow> rows) override;
  Result<std::unique_ptr<StateUpload>> begin_upload(UploadTarget target) override;

 private:
  std::mutex mutex_;
  Rows rows_;
};

class MemoryStateStoreFactory final : public StateStoreFactory {
 public:
  Result<std::unique_ptr<StateStore>> make(std::string_view name) override;
  Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                              std::span<const StoredFile> files,
                                              CheckpointStore& from) override;
};

}  // namespace millrace::detail
