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

// Another owner's files are younger than what it has said last: what all have left behind goes.
void LocalCopies::retain(const void* owner, const CheckpointName& completed,
                         std::span<const StoredFile> files) {
  Needs needs{.completed = completed, .names = {}};
  for (const StoredFile& file : files) needs.names.insert(Path(file.path).filename());
  CheckpointName behind_all = completed;
  std::set<std::string> needed;
  {
    const std::lock_guard lock(mutex_);
    owners_.insert_or_assign(owner, std::move(needs));
    for (const auto& [each, its] : owners_) {
      behind_all = std::min(behind_all, its.completed);
      needed.insert(its.names.begin(), its.names.end());
    }
    if (behind_all <= swept_) return;
    swept_ = behind_all;
    left_.clear();
  }
  sweep(behind_all, needed);
}

// When all tasks are gone, what they had uploaded for a checkpoint that was given up is nobody's.
void LocalCopies::forget(const void* owner) {
  std::set<std::string> left;
  {
    const std::lock_guard lock(mutex_);
    const auto gone = owners_.extract(owner);
    if (gone.empty()) return;
    left_.insert(gone.mapped().names.begin(), gone.mapped().names.end());
    if (!owners_.empty()) return;
    left = std::exchange(left_, {});
  }
  sweep(std::nullopt, left);
}

void LocalCopies::sweep(const std::optional<CheckpointName>& up_to,
                        const std::set<std::string>& needed) {
  const Result<std::vector<std::string>> names = files_.list(folder_);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::optional<CheckpointName> checkpoint = parse_shared_name(name);
    if (!checkpoint || needed.contains(name)) continue;
    if (!up_to || *checkpoint <= *up_to) (void)files_.remove(folder_ / name);
  }
}

}  // namespace millrace::detail
