#include <ostream>

#include "millrace/core/text.h"
#include "millrace/core/time.h"
#include "millrace/tools/snapshot_reader.h"
#include "millrace/tools/state_command.h"
#include "millrace/tools/state_rows.h"

namespace millrace::detail {
namespace {

struct Sizes {
  std::uint64_t keys = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

// Rows of a key follow each other.
Result<Sizes> sizes_of(SnapshotReader& reader, const OperatorState& of,
                       const StateDescription& state) {
  Result<RowFormat> format = RowFormat::make(state);
  if (!format) return format.error();
  Sizes sizes;
  std::string last;
  const std::unique_ptr<RowsOfState> rows = reader.scan(of, state.name);
  while (rows->next()) {
    ++sizes.rows;
    sizes.bytes += rows->key().size() + rows->value().size();
    const Result<std::size_t> key_bytes = format->size_of_key(rows->key());
    if (!key_bytes) return key_bytes.error();
    const std::string_view key = rows->key().substr(0, *key_bytes);
    if (key == last) continue;
    ++sizes.keys;
    last = key;
  }
  if (!rows->status()) return rows->status().error();
  return sizes;
}

std::uint64_t bytes_of(const StatePiece& piece) {
  std::uint64_t bytes = 0;
  for (const std::string& element : piece.elements) bytes += element.size();
  return bytes;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return concat(count, " ", what, count == 1 ? "" : "s");
}

void print_heading(const CheckpointMetadata& metadata, bool rows, std::ostream& out) {
  out << (rows ? "savepoint" : "checkpoint") << " of job " << in_quotes(metadata.job) << "\n  id "
      << metadata.id << ", epoch " << metadata.epoch << ", taken "
      << millrace::to_string(Timestamp(Duration(metadata.triggered_at_milliseconds))) << "\n";
}

void print_piece(const std::string& name, const StatePiece& piece, std::ostream& out) {
  out << "  piece " << name << "  " << (piece.schema.empty() ? "untyped" : piece.schema) << "  "
      << counted(piece.elements.size(), "element") << ", " << counted(bytes_of(piece), "byte")
      << "\n";
}

void print_state(const StateDescription& state, const Sizes& sizes, std::ostream& out) {
  out << "  " << state.kind << " " << state.name << "  " << state.key_schema;
  if (!state.entry_schema.empty()) out << " " << state.entry_schema;
  out << " -> " << state.value_schemas.back() << "  " << counted(sizes.keys, "key") << ", "
      << counted(sizes.rows, "row") << ", " << counted(sizes.bytes, "byte");
  if (state.time_to_live_milliseconds != 0) {
    out << ", lives " << state.time_to_live_milliseconds << " ms";
  }
  if (state.value_schemas.size() > 1) {
    out << ", values of " << state.value_schemas.size() << " schemas";
  }
  out << "\n";
}

}  // namespace

Result<bool> list_state(const std::string& path, std::ostream& out) {
  Result<std::unique_ptr<SnapshotReader>> opened = SnapshotReader::open(path);
  if (!opened) return opened.error();
  SnapshotReader& reader = **opened;
  print_heading(reader.metadata(), reader.is_savepoint(), out);
  for (const OperatorState& of : reader.operators()) {
    out << "operator " << of.name << "  " << id_text(of.id) << "  x" << of.parallelism << " of "
        << of.max_parallelism << "\n";
    for (const auto& [name, piece] : of.pieces) print_piece(name, piece, out);
    for (const auto& [name, state] : of.states()) {
      const Result<Sizes> sizes = sizes_of(reader, of, state);
      if (!sizes) return sizes.error();
      print_state(state, *sizes, out);
    }
  }
  for (const auto& [source, piece] : reader.metadata().enumerators) {
    out << "source " << source << "\n";
    print_piece("splits that nobody reads yet", piece, out);
  }
  return true;
}

}  // namespace millrace::detail
