#include "millrace/coordination/directory_savepoints.h"

#include "millrace/coordination/job_record_format.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/savepoint/savepoint_folder.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kJobRecord = "job-";

Error no_snapshot(const std::filesystem::path& path, std::string_view why) {
  return invalid_argument(concat("'", path.native(), "' is no savepoint and no checkpoint: ", why,
                                 "; expected a folder with a file ", kMetadataFile,
                                 ", or a job's directory of checkpoints"));
}

}  // namespace

Result<std::shared_ptr<CheckpointStore>> DirectorySavepoints::create(const std::string& path) {
  Result<std::unique_ptr<SavepointFolder>> folder = SavepointFolder::create(files_, path);
  if (!folder) return folder.error();
  return std::shared_ptr<CheckpointStore>(*std::move(folder));
}

std::shared_ptr<CheckpointStore> DirectorySavepoints::open(const std::string& path) {
  return std::make_shared<SavepointFolder>(files_, path);
}

Result<FoundSnapshot> DirectorySavepoints::find(const std::string& path) {
  Path folder = Path(path).lexically_normal();
  if (folder.filename() == kMetadataFile) folder = folder.parent_path();
  if (!folder.has_filename()) folder = folder.parent_path();
  return find_in(folder.empty() ? Path(".") : folder);
}

Result<FoundSnapshot> DirectorySavepoints::find_in(const Path& folder) {
  const Path file = folder / kMetadataFile;
  const Result<std::string> bytes = read_file(files_, file);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) {
    Result<Path> newest = newest_in(folder);
    return newest ? find_checkpoint(*newest) : newest.error();
  }
  if (!bytes) return no_snapshot(folder, bytes.error().message());
  if (!is_savepoint(*bytes)) return find_checkpoint(folder);
  Result<CheckpointMetadata> metadata = decode_savepoint(*bytes, file.native());
  if (!metadata) return metadata.error();
  return FoundSnapshot{std::make_shared<SavepointFolder>(files_, folder), *std::move(metadata),
                       true};
}

// It lies among others, whose files it shares.
Result<FoundSnapshot> DirectorySavepoints::find_checkpoint(const Path& folder) {
  const auto name = parse_checkpoint_name(folder.filename().native());
  if (!name) {
    return no_snapshot(folder, concat("a checkpoint's folder keeps its name, such as chk-7-1, and "
                                      "lies beside the folder ",
                                      kSharedFolder));
  }
  const Path directory = folder.has_parent_path() ? folder.parent_path() : Path(".");
  auto store = std::make_shared<DirectoryCheckpointStore>(files_, directory);
  Result<CheckpointMetadata> metadata = read_checkpoint(*store, *name);
  if (!metadata) {
    return metadata.error().with_context(concat("directory '", directory.native(), "'"));
  }
  return FoundSnapshot{std::move(store), *std::move(metadata)};
}

// As the job's record says: what else lies there may not be complete.
Result<DirectorySavepoints::Path> DirectorySavepoints::newest_in(const Path& directory) {
  const Result<std::vector<std::string>> names = files_.list(directory);
  if (!names) return no_snapshot(directory, names.error().message());
  std::vector<std::string> records;
  for (const std::string& name : *names) {
    if (name.starts_with(kJobRecord)) records.push_back(name);
  }
  if (records.empty()) return no_snapshot(directory, "it holds neither, nor the record of a job");
  if (records.size() > 1) {
    return invalid_argument(concat("'", directory.native(), "' holds checkpoints of several jobs (",
                                   join(records), "); name one of its checkpoints"));
  }
  const Path file = directory / records.front();
  const Result<std::string> bytes = read_file(files_, file);
  if (!bytes) return bytes.error();
  const Result<JobRecord> record = decode_job_record(*bytes, file.native());
  if (!record) return record.error();
  if (record->completed.empty()) {
    return no_snapshot(directory, "its job has not completed a checkpoint yet");
  }
  return directory / to_string(record->completed.back());
}

}  // namespace millrace::detail
