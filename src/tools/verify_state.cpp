#include <ostream>

#include "millrace/core/json/schema_json.h"
#include "millrace/core/records/key_group.h"
#include "millrace/core/text.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/files/stored_file.h"
#include "millrace/tools/snapshot_reader.h"
#include "millrace/tools/state_command.h"
#include "millrace/tools/state_rows.h"

namespace millrace::detail {
namespace {

// Goes on after damage, so that all of it is named.
class Verification {
 public:
  explicit Verification(std::ostream& out) : out_(out) {}

  void files_of(SnapshotReader& reader) {
    for (const OperatorState& of : reader.operators()) {
      for (const KeyedSnapshot* keyed : of.keyed) {
        for (const StoredFile& file : keyed->files) look_at(reader.store(), file);
        for (const RowsFile& rows : keyed->rows) look_at(reader.store(), rows.file);
      }
    }
  }

  void in_flight_of(SnapshotReader& reader) {
    for (const TaskSnapshot& task : reader.metadata().tasks) {
      for (const StoredFile& file : task.in_flight) look_at(reader.store(), file);
    }
  }

  void rows_of(SnapshotReader& reader) {
    for (const OperatorState& of : reader.operators()) {
      for (const auto& [name, piece] : of.pieces) note(check_piece(piece), of, name);
      for (const auto& [name, state] : of.states()) note(check_rows(reader, of, state), of, name);
    }
  }

  bool well() const { return damages_ == 0; }
  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t rows() const { return rows_; }

 private:
  void look_at(CheckpointStore& store, const StoredFile& file) {
    ++files_;
    const Status whole = check_file(store, file);
    if (whole) {
      bytes_ += file.bytes;
    } else {
      say(whole.error().message());
    }
  }

  // Files of rows are small; those of a database may be large, and are read where they lie.
  Status check_file(CheckpointStore& store, const StoredFile& file) {
    const std::filesystem::path lies = store.local_path(file);
    if (lies.empty()) {
      const Result<std::string> content = store.fetch(file);
      return content ? Status() : content.error();
    }
    StoredFileCheck check(file);
    Status read = disk_.read(lies, [&](std::string_view chunk) { return check.add(chunk); });
    return read ? check.finish() : missing_is_corruption(file, read.error());
  }

  void note(const Status& status, const OperatorState& of, const std::string& what) {
    if (!status) say(concat(of.name, "/", what, ": ", status.error().message()));
  }

  void say(std::string_view what) {
    ++damages_;
    out_ << what << "\n";
  }

  static Status check_piece(const StatePiece& piece) {
    if (piece.schema.empty()) return {};
    const Result<Schema> schema = Schema::parse(piece.schema);
    if (!schema) return schema.error();
    for (const std::string& element : piece.elements) {
      std::string ignored;
      Status read = append_json(ignored, *schema, element);
      if (!read) return read;
    }
    return {};
  }

  Status check_rows(SnapshotReader& reader, const OperatorState& of,
                    const StateDescription& state) {
    const Result<RowFormat> format = RowFormat::make(state);
    if (!format) return format.error();
    const std::unique_ptr<RowsOfState> rows = reader.scan(of, state.name);
    while (rows->next()) {
      ++rows_;
      const Result<RowText> row = format->read(rows->key(), rows->value());
      if (!row) return row.error();
      Status placed = check_group(rows->key(), rows->snapshot(), of, *row);
      if (!placed) return placed;
    }
    return rows->status();
  }

  // A row lies with the instance that its key group belongs to. That its hash is the key's has been
  // seen as it was read.
  static Status check_group(std::string_view key, const KeyedSnapshot& keyed,
                            const OperatorState& of, const RowText& row) {
    std::uint64_t hash = 0;
    for (const char byte : key.substr(0, 4)) hash = hash << 8 | static_cast<unsigned char>(byte);
    const std::uint32_t group = key_group_of(hash << 32, of.max_parallelism).value();
    if (keyed.first_group <= group && group <= keyed.last_group) return {};
    return corruption(concat("the row of key ", row.key, " is of key group ", group,
                             ", and lies with the groups ", keyed.first_group, " to ",
                             keyed.last_group));
  }

  std::ostream& out_;
  RealFileSystem disk_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t damages_ = 0;
};

}  // namespace

Result<bool> verify_state(const std::string& path, std::ostream& out) {
  Result<std::unique_ptr<SnapshotReader>> reader = SnapshotReader::open(path);
  if (!reader) return reader.error();
  Verification verification(out);
  verification.files_of(**reader);
  verification.in_flight_of(**reader);
  if (verification.well()) verification.rows_of(**reader);
  if (verification.well()) {
    out << "well: " << verification.files() << " files of " << verification.bytes() << " bytes, "
        << verification.rows() << " rows\n";
  }
  return verification.well();
}

}  // namespace millrace::detail
