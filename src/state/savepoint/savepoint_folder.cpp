#include "millrace/state/savepoint/savepoint_folder.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/stored_file.h"
#include "millrace/state/savepoint/row_blocks.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kRows = "rows-";
constexpr int kOperatorDigits = 16;

Error no_rows(const StoredFile& file) {
  return corruption(concat("a savepoint names the file ", in_quotes(file.path),
                           ", which no savepoint gives such a name; expected ", kRows,
                           "<operator>-<subtask>-<number>"));
}

}  // namespace

std::string rows_name(std::uint64_t operator_id, std::uint32_t subtask, std::uint64_t number) {
  std::string digits;
  for (int shift = 4 * (kOperatorDigits - 1); shift >= 0; shift -= 4) {
    digits += kHexDigits[operator_id >> shift & 0xf];
  }
  return concat(kRows, digits, "-", subtask, "-", number);
}

bool is_rows_name(std::string_view name) {
  return name.starts_with(kRows) &&
         name.find_first_not_of("0123456789abcdef-", kRows.size()) == std::string_view::npos;
}

SavepointFolder::SavepointFolder(FileSystem& files, Path folder)
    : files_(files), folder_(std::move(folder)) {}

Result<std::unique_ptr<SavepointFolder>> SavepointFolder::create(FileSystem& files,
                                                                 const Path& folder) {
  Status made = files.make_directories(folder);
  if (!made) return made.error().with_context("making the savepoint's folder");
  const Result<std::vector<std::string>> names = files.list(folder);
  if (!names) return names.error().with_context("looking into the savepoint's folder");
  if (!names->empty()) {
    return invalid_argument(concat("'", folder.native(), "' is not empty: it holds '",
                                   names->front(),
                                   "'; a savepoint needs a folder of its own, name another"));
  }
  return std::make_unique<SavepointFolder>(files, folder);
}

Result<StoredFile> SavepointFolder::put_file(const CheckpointName& checkpoint, std::string name,
                                             const Path& file) {
  const Result<std::string> bytes = read_file(files_, file);
  return bytes ? put(checkpoint, std::move(name), *bytes) : bytes.error();
}

Result<StoredFile> SavepointFolder::put(const CheckpointName&, std::string name,
                                        std::string_view bytes) {
  check(is_rows_name(name), "a savepoint holds rows only");
  Status written = files_.write_file(folder_ / name, bytes);
  if (!written) return written.error();
  return StoredFile{
      .name = name, .path = name, .bytes = bytes.size(), .checksum = checksum_of(bytes)};
}

Status SavepointFolder::fetch_file(const StoredFile& file, const Path& to) {
  const Result<std::string> bytes = fetch(file);
  return bytes ? files_.write_file(to, *bytes) : Status(bytes.error());
}

// The blocks know better where the damage is than the file as a whole.
Result<std::string> SavepointFolder::fetch(const StoredFile& file) {
  if (!is_rows_name(file.path)) return no_rows(file);
  Result<std::string> bytes = read_file(files_, folder_ / file.path);
  if (!bytes) return missing_is_corruption(file, bytes.error());
  StoredFileCheck whole(file);
  Status status = whole.add(*bytes);
  if (status) status = whole.finish();
  if (status) return bytes;
  if (bytes->size() == file.bytes) {
    const Status blocks = check_blocks(*bytes, (folder_ / file.path).native());
    if (!blocks) return blocks.error();
  }
  return status.error().with_context(concat("savepoint '", folder_.native(), "'"));
}

Status SavepointFolder::write_metadata(const CheckpointName& checkpoint, std::string_view bytes) {
  const Path temporary = folder_ / temporary_name(checkpoint, files_.unique_name());
  Status status = files_.sync_directory(folder_);
  if (status) status = files_.write_file(temporary, bytes);
  if (status) {
    status = files_.rename(temporary, folder_ / kMetadataFile);
    if (!status) (void)files_.remove(temporary);
  }
  return status ? files_.sync_directory(folder_) : status;
}

Result<std::string> SavepointFolder::read_metadata(const CheckpointName&) {
  return read_file(files_, folder_ / kMetadataFile);
}

Status SavepointFolder::remove_unused(const CheckpointName&, const std::set<CheckpointName>&,
                                      const std::set<std::string>&) {
  Status first = files_.remove(folder_ / kMetadataFile);
  const Result<std::vector<std::string>> names = files_.list(folder_);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!is_rows_name(name)) continue;
    Status removed = files_.remove(folder_ / name);
    if (first) first = std::move(removed);
  }
  if (first) first = files_.remove(folder_);
  return first;
}

}  // namespace millrace::detail
