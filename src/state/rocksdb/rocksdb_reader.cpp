#include "millrace/state/rocksdb/rocksdb_reader.h"

#include <rocksdb/db.h>

#include <system_error>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/rocksdb/rocksdb_error.h"
#include "millrace/state/rocksdb/rocksdb_scan.h"
#include "millrace/state/rocksdb/rocksdb_store.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"

namespace millrace::detail {
namespace {

constexpr int kOpenFiles = 256;

// Sorted files are read where they lie, and have checksums of their own; the others are small.
Status link_or_fetch(const StoredFile& file, CheckpointStore& from,
                     const std::filesystem::path& to) {
  const std::filesystem::path lies = from.local_path(file);
  if (!is_sorted_file(file.name) || lies.empty()) return from.fetch_file(file, to);
  std::error_code error;
  if (!std::filesystem::exists(lies, error)) {
    return corruption(concat("checkpoint file '", lies.native(), "' (", in_quotes(file.name),
                             ") is missing; take another checkpoint, or the file from a backup"));
  }
  std::filesystem::create_symlink(std::filesystem::absolute(lies), to, error);
  if (!error) return {};
  return unavailable(
      concat("cannot make the link '", to.native(), "': ", error.message(), "; check its folder"));
}

}  // namespace

RocksDbReader::RocksDbReader(ScratchFolder folder) : folder_(std::move(folder)) {}

RocksDbReader::~RocksDbReader() = default;

Result<std::unique_ptr<RocksDbReader>> RocksDbReader::open(const std::filesystem::path& folder,
                                                           std::span<const StoredFile> files,
                                                           CheckpointStore& from) {
  Status named = check_database_files(files);
  if (!named) return named.error();
  Result<ScratchFolder> made = ScratchFolder::make(folder);
  if (!made) return made.error();
  std::unique_ptr<RocksDbReader> reader(new RocksDbReader(*std::move(made)));
  for (const StoredFile& file : files) {
    Status there = link_or_fetch(file, from, folder / file.name);
    if (!there) return there.error();
  }
  rocksdb::Options options;
  options.max_open_files = kOpenFiles;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(options, folder.native(), &database);
  reader->database_.reset(database);
  if (!opened.ok()) return to_error(opened, "cannot open the database of a checkpoint");
  return reader;
}

std::unique_ptr<StateScan> RocksDbReader::scan(std::string_view first, std::string_view end) {
  return scan_rows(*database_, first, end);
}

}  // namespace millrace::detail
