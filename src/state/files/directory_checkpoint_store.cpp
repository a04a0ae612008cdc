#include "millrace/state/files/directory_checkpoint_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "millrace/core/failpoint.h"
#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/stored_file.h"

namespace millrace::detail {
namespace {

// Goes on after failures, and remembers the first one.
class Sweep {
 public:
  explicit Sweep(FileSystem& files) : files_(files) {}

  // Calls use(name) for the directory's entries.
  void each(const std::filesystem::path& directory,
            const std::function<void(const std::string&)>& use) {
    const Result<std::vector<std::string>> names = files_.list(directory);
    if (!names) {
      if (names.error().code() != ErrorCode::kNotFound) note(names.error());
      return;
    }
    for (const std::string& name : *names) use(name);
  }

  void note(Status status) {
    if (first_) first_ = std::move(status);
  }
  const Status& first() const { return first_; }

 private:
  FileSystem& files_;
  Status first_;
};

}  // namespace

DirectoryCheckpointStore::DirectoryCheckpointStore(FileSystem& files, Path directory)
    : files_(files), directory_(std::move(directory)), shared_(directory_ / kSharedFolder) {}

Status DirectoryCheckpointStore::make_shared_folder() {
  const std::lock_guard lock(mutex_);
  if (shared_made_) return {};
  Status made = files_.make_directories(shared_);
  shared_made_ = made.has_value();
  return made;
}

DirectoryCheckpointStore::Path DirectoryCheckpointStore::temporary_path(
    const Path& folder, const CheckpointName& checkpoint) {
  return folder / temporary_name(checkpoint, files_.unique_name());
}

// The source is hashed, not what became of it: a copy that went wrong is found when it is fetched.
Result<StoredFile> DirectoryCheckpointStore::put_file(const CheckpointName& checkpoint,
                                                      std::string name, const Path& file) {
  Status status = make_shared_folder();
  if (!status) return status.error();
  StoredFile stored{.name = std::move(name)};
  Checksummer checksum;
  status = files_.read(file, [&](std::string_view chunk) {
    checksum.add(chunk);
    stored.bytes += chunk.size();
    return Status();
  });
  if (!status) return status.error();
  stored.checksum = checksum.result();
  const Path temporary = temporary_path(shared_, checkpoint);
  status = files_.link_or_copy(file, temporary);
  return status ? share(temporary, checkpoint, std::move(stored)) : status.error();
}

Result<StoredFile> DirectoryCheckpointStore::put(const CheckpointName& checkpoint, std::string name,
                                                 std::string_view bytes) {
  Status status = make_shared_folder();
  if (!status) return status.error();
  const Path temporary = temporary_path(shared_, checkpoint);
  status = files_.write_file(temporary, bytes);
  if (!status) return status.error();
  return share(temporary, checkpoint,
               {.name = std::move(name), .bytes = bytes.size(), .checksum = checksum_of(bytes)});
}

Result<StoredFile> DirectoryCheckpointStore::share(const Path& temporary,
                                                   const CheckpointName& checkpoint,
                                                   StoredFile stored) {
  const std::string name = shared_name(stored.checksum, checkpoint);
  Status published = publish(temporary, shared_ / name);
  if (!published) return published.error();
  stored.path = concat(kSharedFolder, "/", name);
  return stored;
}

Status DirectoryCheckpointStore::publish(const Path& temporary, const Path& to) {
  Status status = files_.rename(temporary, to);
  if (status) return files_.sync_directory(to.parent_path());
  (void)files_.remove(temporary);  // what remains is found by remove_unused()
  return status;
}

Status DirectoryCheckpointStore::fetch_file(const StoredFile& file, const Path& to) {
  Status status = check_path(file);
  if (!status) return status;
  StoredFileCheck check(file);
  const Path from = directory_ / file.path;
  status = files_.read(from, [&](std::string_view chunk) { return check.add(chunk); });
  if (!status) return missing_is_corruption(file, status.error());
  status = check.finish();
  return status ? files_.copy(from, to) : status;
}

Result<std::string> DirectoryCheckpointStore::fetch(const StoredFile& file) {
  Status status = check_path(file);
  if (!status) return status.error();
  StoredFileCheck check(file);
  std::string bytes;
  status = files_.read(directory_ / file.path, [&](std::string_view chunk) {
    bytes += chunk;
    return check.add(chunk);
  });
  if (!status) return missing_is_corruption(file, status.error());
  status = check.finish();
  if (!status) return status.error();
  return bytes;
}

std::filesystem::path DirectoryCheckpointStore::local_path(const StoredFile& file) const {
  return check_path(file) ? directory_ / file.path : Path();
}

// The folder may be there from a try that failed before it was durable.
Status DirectoryCheckpointStore::write_metadata(const CheckpointName& checkpoint,
                                                std::string_view bytes) {
  const Path folder = directory_ / to_string(checkpoint);
  const Path temporary = temporary_path(folder, checkpoint);
  Status status = files_.make_directories(folder);
  if (status) status = files_.write_file(temporary, bytes);
  return status ? publish(temporary, folder / kMetadataFile) : status;
}

Result<std::string> DirectoryCheckpointStore::read_metadata(const CheckpointName& checkpoint) {
  Result<std::string> bytes = read_file(files_, directory_ / to_string(checkpoint) / kMetadataFile);
  if (bytes || bytes.error().code() != ErrorCode::kNotFound) return bytes;
  return not_found(concat("there is no checkpoint ", to_string(checkpoint), " in '",
                          directory_.native(), "': it has no file ", kMetadataFile,
                          "; give the path of another one"));
}

// Metadata goes first, so that none ever names files that are gone.
Status DirectoryCheckpointStore::remove_unused(const CheckpointName& newest,
                                               const std::set<CheckpointName>& keep,
                                               const std::set<std::string>& keep_files) {
  const auto unused = [&](const std::optional<CheckpointName>& checkpoint) {
    return checkpoint && *checkpoint <= newest && !keep.contains(*checkpoint);
  };
  Sweep sweep(files_);
  sweep.each(directory_, [&](const std::string& name) {
    if (!unused(parse_checkpoint_name(name))) return;
    sweep.note(remove_checkpoint(directory_ / name));
    pass(FailPoint::kMetadataRemoved);
  });
  sweep.each(shared_, [&](const std::string& name) {
    const bool kept = keep_files.contains(concat(kSharedFolder, "/", name));
    if ((unused(parse_shared_name(name)) && !kept) || unused(parse_temporary_name(name))) {
      sweep.note(files_.remove(shared_ / name));
    }
  });
  return sweep.first();
}

Status DirectoryCheckpointStore::remove_all() {
  Sweep sweep(files_);
  sweep.each(directory_, [&](const std::string& name) {
    if (parse_checkpoint_name(name)) sweep.note(remove_checkpoint(directory_ / name));
  });
  sweep.each(shared_, [&](const std::string& name) {
    if (parse_shared_name(name) || parse_temporary_name(name)) {
      sweep.note(files_.remove(shared_ / name));
    }
  });
  (void)files_.remove(shared_);  // what is not empty stays
  (void)files_.remove(directory_);
  return sweep.first();
}

Result<bool> DirectoryCheckpointStore::has_checkpoints() {
  const Result<std::vector<std::string>> names = files_.list(directory_);
  if (!names && names.error().code() == ErrorCode::kNotFound) return false;
  if (!names) return names.error();
  return std::ranges::any_of(
      *names, [](const std::string& name) { return parse_checkpoint_name(name).has_value(); });
}

Status DirectoryCheckpointStore::remove_checkpoint(const Path& folder) {
  Sweep sweep(files_);
  bool foreign = false;
  sweep.each(folder, [&](const std::string& name) {
    if (name == kMetadataFile || parse_temporary_name(name)) {
      sweep.note(files_.remove(folder / name));
    } else {
      foreign = true;
    }
  });
  if (sweep.first() && !foreign) sweep.note(files_.remove(folder));
  return sweep.first();
}

}  // namespace millrace::detail
