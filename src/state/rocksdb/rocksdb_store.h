// State in RocksDB: one database for each store, in a local folder of its own, which is gone with
// the store. What must survive is in checkpoints.
//
// Rows come in as sorted files and never through the memory table, which is forty times as fast; so
// there is no log, and nothing to flush before a checkpoint. RocksDB does not slow ingesting down
// when it cannot keep up with merging, and every file in level 0 is one more for get() to look
// into. Therefore ingest() itself waits until level 0 is small again: its thread may be blocked,
// the task's may not.
//
// Files are never changed once they are written, and their content does not depend on when they
// came: an upload holds them by hard links, and puts into the checkpoint what its base lacks.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/executor.h"
#include "millrace/state/rocksdb/rocksdb_tuning.h"
#include "millrace/state/rocksdb/working_directory.h"
#include "millrace/state/state_store.h"

namespace rocksdb {
class DB;
}

namespace millrace::detail {

// Whether RocksDB never changes this file of a database once it is written.
bool is_sorted_file(std::string_view name);

class CompactionWatch;
class UselessRows;

class RocksDbStore final : public StateStore {
 public:
  // The folder is empty, or holds the files `restored`.
  static Result<std::unique_ptr<RocksDbStore>> open(ScratchFolder folder,
                                                    const RocksDbSettings& settings,
                                                    const RocksDbResources& resources,
                                                    std::span<const StoredFile> restored);
  ~RocksDbStore() override;

  Status get(std::span<const std::string_view> keys,
             const std::function<void(std::size_t, std::string_view)>& found) override;
  std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) override;
  void forget_useless(std::function<RowTest()> make_test) override;
  Status ingest(std::span<const StateRow> rows) override;
  Result<std::unique_ptr<StateUpload>> begin_upload(UploadTarget target) override;

  int files_in_level0() const;  // any thread

 private:
  class Upload;

  // Of the sorted files that this store restored or uploaded last: another store's file of the same
  // name has another content.
  class OwnFiles {
   public:
    using Checksums = std::map<std::string, FileChecksum, std::less<>>;

    void set(Checksums checksums);
    // The file of that name and content in `base`.
    const StoredFile* find_in(std::span<const StoredFile> base, const std::string& name) const;

   private:
    mutable std::mutex mutex_;
    Checksums checksums_;
  };

  RocksDbStore(ScratchFolder folder, const RocksDbSettings& settings,
               const RocksDbResources& resources);

  Status open_database(bool restored);
  Result<ScratchFolder> make_scratch();
  Status write_files(std::span<const StateRow> rows, const std::filesystem::path& folder,
                     std::vector<std::string>& files, std::vector<StateRow>& bounds);
  Status check_found(std::span<const StateRow> bounds);
  Status check_whole() const;
  Result<std::size_t> write_file(std::span<const StateRow> rows, const std::string& file);
  Status wait_for_compaction();

  const ScratchFolder folder_;
  const RocksDbSettings settings_;
  const std::shared_ptr<Executor> readers_;
  const std::shared_ptr<CompactionWatch> watch_;
  const std::shared_ptr<UselessRows> useless_;
  const std::unique_ptr<const rocksdb::Options> options_;
  std::unique_ptr<rocksdb::DB> database_;
  std::uint64_t folders_ = 0;
  std::atomic<bool> damaged_{false};  // it does not find what was written to it
  OwnFiles own_files_;
};

}  // namespace millrace::detail
