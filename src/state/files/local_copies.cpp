#include "millrace/state/files/local_copies.h"

#include <algorithm>
#include <utility>

#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/stored_file.h"

namespace millrace::detail {

LocalCopies::LocalCopies(FileSystem& files, CheckpointStore& shared, Path folder)
    : files_(files), shared_(shared), folder_(std::move(folder)) {}

LocalCopies::Path LocalCopies::copy_of(const StoredFile& file) const {
  return folder_ / Path(file.path).filename();
}

// Whatever keeps a copy from being made, the file is in the shared store.
void LocalCopies::keep(const StoredFile& stored, const Path& file) {
  {
    const std::lock_guard lock(mutex_);
    if (!made_ && !files_.make_directories(folder_)) return;
    made_ = true;
  }
  (void)files_.link_or_copy(file, copy_of(stored));
}

Result<StoredFile> LocalCopies::put_file(const CheckpointName& checkpoint, std::string name,
                                         const Path& file) {
  Result<StoredFile> stored = shared_.put_file(checkpoint, std::move(name), file);
  if (stored) keep(*stored, file);
  return stored;
}

bool LocalCopies::read_copy(const StoredFile& file, const FileSystem::UseChunk& use) {
  StoredFileCheck check(file);
  Status read = files_.read(copy_of(file), [&](std::string_view chunk) {
    Status right = check.add(chunk);
    return right ? use(chunk) : right;
  });
  if (read) read = check.finish();
  if (!read && read.error().code() == ErrorCode::kCorruption) (void)files_.remove(copy_of(file));
  return read.has_value();
}

Status LocalCopies::fetch_file(const StoredFile& file, const Path& to) {
  if (Status checked = check_path(file); !checked) return checked;
  if (read_copy(file, [](std::string_view) { return Status(); }) &&
      files_.link_or_copy(copy_of(file), to)) {
    return {};
  }
  Status fetched = shared_.fetch_file(file, to);
  if (fetched) keep(file, to);
  return fetched;
}

Result<std::string> LocalCopies::fetch(const StoredFile& file) {
  if (Status checked = check_path(file); !checked) return checked.error();
  std::string bytes;
  const bool whole = read_copy(file, [&](std::string_view chunk) {
    bytes += chunk;
    return Status();
  });
  return whole ? bytes : shared_.fetch(file);
}

// Another owner's files are younger than what it has said last: so what all have left behind goes.
void LocalCopies::retain(const void* owner, const CheckpointName& completed,
                         std::span<const StoredFile> files) {
  Needs needs{.completed = completed, .names = {}};
  for (const StoredFile& file : files) needs.names.insert(Path(file.path).filename());
  CheckpointName newest = completed;
  std::set<std::string> needed;
  {
    const std::lock_guard lock(mutex_);
    owners_.insert_or_assign(owner, std::move(needs));
    for (const auto& [each, its] : owners_) {
      newest = std::min(newest, its.completed);
      needed.insert(its.names.begin(), its.names.end());
    }
    if (newest <= swept_) return;
    swept_ = newest;
  }
  sweep(newest, needed);
}

void LocalCopies::forget(const void* owner) {
  const std::lock_guard lock(mutex_);
  owners_.erase(owner);
}

void LocalCopies::sweep(const CheckpointName& newest, const std::set<std::string>& needed) {
  const Result<std::vector<std::string>> names = files_.list(folder_);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::optional<CheckpointName> checkpoint = parse_shared_name(name);
    if (checkpoint && *checkpoint <= newest && !needed.contains(name)) {
      (void)files_.remove(folder_ / name);
    }
  }
}

}  // namespace millrace::detail
