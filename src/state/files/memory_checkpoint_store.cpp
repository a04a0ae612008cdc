#include "millrace/state/files/memory_checkpoint_store.h"

#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/files/stored_file.h"

namespace millrace::detail {

Result<StoredFile> MemoryCheckpointStore::put_file(const CheckpointName& checkpoint,
                                                   std::string name,
                                                   const std::filesystem::path& file) {
  RealFileSystem files;
  Result<std::string> bytes = read_file(files, file);
  return bytes ? put(checkpoint, std::move(name), *bytes) : bytes.error();
}

Result<StoredFile> MemoryCheckpointStore::put(const CheckpointName& checkpoint, std::string name,
                                              std::string_view bytes) {
  const Checksum checksum = checksum_of(bytes);
  std::string path = concat(kSharedFolder, "/", shared_name(checksum, checkpoint));
  const std::lock_guard lock(mutex_);
  files_.insert_or_assign(path, File{checkpoint, std::string(bytes)});
  return StoredFile{.name = std::move(name),
                    .path = std::move(path),
                    .bytes = bytes.size(),
                    .checksum = checksum};
}

Status MemoryCheckpointStore::fetch_file(const StoredFile& file, const std::filesystem::path& to) {
  Result<std::string> bytes = fetch(file);
  if (!bytes) return bytes.error();
  RealFileSystem files;
  return files.write_file(to, *bytes);
}

Result<std::string> MemoryCheckpointStore::fetch(const StoredFile& file) {
  Status status = check_path(file);
  if (!status) return status.error();
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(file.path);
  if (found == files_.end()) return missing_is_corruption(file, not_found("no such file"));
  StoredFileCheck check(file);
  status = check.add(found->second.bytes);
  if (status) status = check.finish();
  if (!status) return status.error();
  return found->second.bytes;
}

Status MemoryCheckpointStore::write_metadata(const CheckpointName& checkpoint,
                                             std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  metadata_.insert_or_assign(checkpoint, std::string(bytes));
  return {};
}

Result<std::string> MemoryCheckpointStore::read_metadata(const CheckpointName& checkpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = metadata_.find(checkpoint);
  if (found != metadata_.end()) return found->second;
  return not_found(concat("there is no checkpoint ", to_string(checkpoint), " in memory"));
}

Status MemoryCheckpointStore::remove_unused(const CheckpointName& newest,
                                            const std::set<CheckpointName>& keep,
                                            const std::set<std::string>& keep_files) {
  const std::lock_guard lock(mutex_);
  const auto unused = [&](const CheckpointName& checkpoint) {
    return checkpoint <= newest && !keep.contains(checkpoint);
  };
  std::erase_if(metadata_, [&](const auto& entry) { return unused(entry.first); });
  std::erase_if(files_, [&](const auto& entry) {
    return unused(entry.second.checkpoint) && !keep_files.contains(entry.first);
  });
  return {};
}

std::vector<std::string> MemoryCheckpointStore::names() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names;
  for (const auto& [checkpoint, bytes] : metadata_) {
    names.insert(concat(to_string(checkpoint), "/", kMetadataFile));
  }
  for (const auto& [path, file] : files_) names.insert(path);
  return {names.begin(), names.end()};
}

}  // namespace millrace::detail
