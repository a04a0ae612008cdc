#include "millrace/state/rocksdb/rocksdb_store_factory.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "millrace/core/check.h"
#include "millrace/core/text.h"
#include "millrace/state/rocksdb/rocksdb_store.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

Status write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (file) return {};
  return resource_exhausted(concat("cannot write ", in_quotes(path.native()),
                                   "; free space on that disk and check its permissions"));
}

// What the store hands out may be a link to its own file: RocksDB leaves sorted files alone, but
// goes on writing others.
Status fetch(const StoredFile& file, CheckpointStore& from, const fs::path& to) {
  if (is_sorted_file(file.name)) return from.fetch_file(file, to);
  const Result<std::string> bytes = from.fetch(file);
  return bytes ? write_file(to, *bytes) : Status(bytes.error());
}

}  // namespace

Status check_database_files(std::span<const StoredFile> files) {
  const auto is_path = [](const StoredFile& file) {
    return file.name.empty() || file.name.find('/') != std::string::npos || file.name == "..";
  };
  const auto path = std::ranges::find_if(files, is_path);
  if (path != files.end()) {
    return corruption(concat("the checkpoint names a file ", in_quotes(path->name),
                             ", and the files of a state database are named without directories; "
                             "go on from another checkpoint"));
  }
  if (std::ranges::find(files, "CURRENT", &StoredFile::name) == files.end()) {
    return corruption(
        "the checkpoint's files are no state database of RocksDB: 'CURRENT' is not among them; set "
        "the state backend that the checkpoint was taken with, or go on from another");
  }
  return {};
}

namespace {

Status fetch_all(std::span<const StoredFile> files, CheckpointStore& from, const fs::path& to) {
  Status checked = check_database_files(files);
  if (!checked) return checked;
  for (const StoredFile& file : files) {
    const Status fetched = fetch(file, from, to / file.name);
    if (!fetched) return fetched.error().with_context(concat("file ", in_quotes(file.name)));
  }
  return {};
}

template <class T>
Result<std::unique_ptr<StateStore>> as_store(Result<T> result) {
  if (!result) return result.error();
  return *std::move(result);
}

}  // namespace

RocksDbStoreFactory::RocksDbStoreFactory(std::unique_ptr<WorkingDirectory> directory,
                                         RocksDbSettings settings)
    : directory_(std::move(directory)), settings_(settings), resources_(make_resources(settings)) {}

Result<std::unique_ptr<RocksDbStoreFactory>> RocksDbStoreFactory::open(const fs::path& directory,
                                                                       RocksDbSettings settings) {
  check(settings.level0_trigger <= settings.level0_bound,
        "a bound of level 0 below the number where compaction begins would never be met");
  Result<std::unique_ptr<WorkingDirectory>> opened = WorkingDirectory::open(directory);
  if (!opened) return opened.error();
  return std::unique_ptr<RocksDbStoreFactory>(
      new RocksDbStoreFactory(*std::move(opened), settings));
}

Result<std::unique_ptr<StateStore>> RocksDbStoreFactory::make(std::string_view name) {
  Result<ScratchFolder> folder = directory_->make_folder(name);
  if (!folder) return folder.error();
  return as_store(RocksDbStore::open(*std::move(folder), settings_, resources_, {}));
}

Result<std::unique_ptr<StateStore>> RocksDbStoreFactory::restore(std::string_view name,
                                                                 std::span<const StoredFile> files,
                                                                 CheckpointStore& from) {
  Result<ScratchFolder> folder = directory_->make_folder(name);
  if (!folder) return folder.error();
  Status fetched = fetch_all(files, from, folder->path());
  if (!fetched) return fetched.error().with_context("cannot restore state");
  return as_store(RocksDbStore::open(*std::move(folder), settings_, resources_, files));
}

}  // namespace millrace::detail
