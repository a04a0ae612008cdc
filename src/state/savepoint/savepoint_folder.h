// A savepoint in a folder of its own:
//
//   _metadata                                 written last: without it there is no savepoint
//   rows-<operator>-<subtask>-<number>        rows of keyed state (row_blocks.h)
//
// It is a checkpoint store of one snapshot, which the user owns: nothing is ever removed from it
// but what a try that failed has left.
#pragma once

#include <filesystem>
#include <memory>
#include <set>

#include "millrace/state/checkpoint_store.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class SavepointFolder final : public CheckpointStore {
 public:
  using Path = std::filesystem::path;

  // A new one: makes the folder, which may be there if it is empty.
  static Result<std::unique_ptr<SavepointFolder>> create(FileSystem& files, const Path& folder);
  // One that is there; nothing is read yet.
  SavepointFolder(FileSystem& files, Path folder);

  Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                              const Path& file) override;
  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override;
  Status fetch_file(const StoredFile& file, const Path& to) override;
  Result<std::string> fetch(const StoredFile& file) override;
  Status write_metadata(const CheckpointName& checkpoint, std::string_view bytes) override;
  Result<std::string> read_metadata(const CheckpointName& checkpoint) override;

  // Removes what was put into a folder that has become no savepoint, by whomever, and the folder.
  Status remove_unused(const CheckpointName& newest, const std::set<CheckpointName>& keep,
                       const std::set<std::string>& keep_files) override;

 private:
  FileSystem& files_;
  const Path folder_;
};

// "rows-<operator>-<subtask>-<number>", the operator as 16 hexadecimal digits.
std::string rows_name(std::uint64_t operator_id, std::uint32_t subtask, std::uint64_t number);
bool is_rows_name(std::string_view name);

}  // namespace millrace::detail
