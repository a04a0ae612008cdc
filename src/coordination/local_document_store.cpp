#include "millrace/coordination/local_document_store.h"

#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRDOC", .version = 1, .what = "document"};

struct SavedDocument {
  std::uint64_t version = 0;
  std::string bytes;
};

bool is_missing(const Error& error) { return error.code() == ErrorCode::kNotFound; }

// From the rename, or the removal, on it may have happened or not.
Error unknown_outcome(const std::filesystem::path& path, const Error& error) {
  return unavailable(concat("it is not known whether '", path.native(),
                            "' was changed, and it must be read again: ", error.message()));
}

}  // namespace

Result<LeaderRecord> read_local_leader(FileSystem& files, const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "leader";
  const Result<std::string> bytes = read_file(files, path);
  if (bytes) return decode_leader(*bytes, path.native());
  if (is_missing(bytes.error())) return LeaderRecord{};
  return bytes.error();
}

Result<std::unique_ptr<FileLock>> lock_local_changes(FileSystem& files,
                                                     const std::filesystem::path& directory) {
  Status made = files.make_directories(directory);
  if (!made) return made.error();
  return files.lock(directory / ".lock", WhenLocked::kWait);
}

Status replace_file(FileSystem& files, const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path temporary =
      path.parent_path() / concat('.', path.filename().native(), ".writing");
  Status status = files.remove(temporary);
  if (status) status = files.write_file(temporary, bytes);
  if (!status) return status;
  status = files.rename(temporary, path);
  if (status) status = files.sync_directory(path.parent_path());
  return status ? status : unknown_outcome(path, status.error());
}

LocalDocumentStore::LocalDocumentStore(FileSystem& files, std::filesystem::path directory)
    : files_(files), directory_(std::move(directory)) {}

Result<std::vector<std::string>> LocalDocumentStore::list(std::string_view folder) {
  auto names = files_.list(directory_ / folder);
  if (!names && is_missing(names.error())) return std::vector<std::string>();
  if (names) std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
  return names;
}

// What is read was synced, so that it is not gone after a power cut.
Result<std::optional<Document>> LocalDocumentStore::read(std::string_view path) {
  Result<std::optional<Document>> found = find(path);
  if (!found || !*found) return found;
  Status synced = files_.sync_directory((directory_ / path).parent_path());
  if (!synced) return synced.error();
  return found;
}

Result<std::optional<Document>> LocalDocumentStore::find(std::string_view path) {
  Status well = check_document(path, 0);
  if (!well) return well.error();
  const std::filesystem::path file = directory_ / path;
  const Result<std::string> bytes = read_file(files_, file);
  if (!bytes && is_missing(bytes.error())) return std::optional<Document>();
  if (!bytes) return bytes.error();
  Result<SavedDocument> saved = unseal<SavedDocument>(kFormat, *bytes, file.native());
  if (!saved) return saved.error();
  return std::optional(Document{std::move(saved->bytes), DocumentVersion(saved->version)});
}

Result<DocumentVersion> LocalDocumentStore::write(std::string_view path, DocumentVersion version,
                                                  std::string_view bytes, LeaderEpoch leader) {
  Status well = check_document(path, bytes.size());
  if (!well) return well.error();
  const DocumentVersion next(version.value() + 1);
  Status changed = change(path, version, leader, [&]() -> Status {
    const std::filesystem::path file = directory_ / path;
    const Result<std::string> sealed =
        seal(kFormat, SavedDocument{next.value(), std::string(bytes)});
    if (!sealed) return sealed.error();
    Status made = files_.make_directories(file.parent_path());
    return made ? replace_file(files_, file, *sealed) : made;
  });
  if (!changed) return changed.error();
  return next;
}

Status LocalDocumentStore::erase(std::string_view path, DocumentVersion version,
                                 LeaderEpoch leader) {
  check(version != kNoDocument, "a document was to be erased that is none");
  return change(path, version, leader, [&]() -> Status {
    const std::filesystem::path file = directory_ / path;
    Status status = files_.remove(file);
    if (status) status = files_.sync_directory(file.parent_path());
    return status ? status : unknown_outcome(file, status.error());
  });
}

Status LocalDocumentStore::change(std::string_view path, DocumentVersion version,
                                  LeaderEpoch leader, const std::function<Status()>& make) {
  const Result<std::unique_ptr<FileLock>> locked = lock_local_changes(files_, directory_);
  if (!locked) return locked.error();
  const Result<LeaderRecord> current = read_local_leader(files_, directory_);
  if (!current) return current.error();
  Status status = check_leader(leader, LeaderEpoch(current->epoch));
  if (!status) return status;
  const Result<std::optional<Document>> found = find(path);
  if (!found) return found.error();
  status = check_version(path, version, *found ? (*found)->version : kNoDocument);
  return status ? make() : status;
}

}  // namespace millrace::detail
