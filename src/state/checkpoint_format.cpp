#include "millrace/state/checkpoint_format.h"

#include "millrace/core/text.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRCHK", .version = 1, .what = "checkpoint"};
constexpr SealedFormat kSavepoint{.magic = "MILLRSAV", .version = 1, .what = "savepoint"};

constexpr std::size_t kMostSchemas = 256;  // a row has a byte for the number of its own

Status wrong(std::string_view what) {
  return corruption(concat(what, "; no Millrace writes that: restore another checkpoint"));
}

Status check_piece(const StatePiece& piece, std::string_view name) {
  if (piece.redistribution <= Redistribution::kCopy) return {};
  return unsupported(concat("the piece ", in_quotes(name), " has the redistribution ",
                            static_cast<unsigned>(piece.redistribution),
                            ", which this version does not know; use the Millrace that wrote it"));
}

Status check_pieces(const std::map<std::string, StatePiece>& pieces) {
  for (const auto& [name, piece] : pieces) {
    Status status = check_piece(piece, name);
    if (!status) return status;
  }
  return {};
}

Status check_states(const KeyedSnapshot& keyed) {
  for (const StateDescription& state : keyed.states) {
    const std::size_t schemas = state.value_schemas.size();
    if (schemas > 0 && schemas <= kMostSchemas) continue;
    return wrong(concat("its state ", in_quotes(state.name), " has ", schemas,
                        " schemas of values, expected 1 to ", kMostSchemas));
  }
  return {};
}

// The files' rows go on from one file to the next.
Status check_rows(const KeyedSnapshot& keyed) {
  std::string_view last;
  for (const RowsFile& rows : keyed.rows) {
    if (last < rows.first_key && rows.first_key <= rows.last_key) {
      last = rows.last_key;
      continue;
    }
    return wrong(concat("the rows of file ", in_quotes(rows.file.path), " are in no order"));
  }
  return {};
}

Status check_keyed(const OperatorSnapshot& snapshot) {
  if (snapshot.keyed.size() > 1) return wrong("it has several keyed states");
  for (const KeyedSnapshot& keyed : snapshot.keyed) {
    if (keyed.first_group > keyed.last_group || keyed.last_group >= snapshot.max_parallelism) {
      return wrong(concat("its keyed state is of the key groups ", keyed.first_group, " to ",
                          keyed.last_group, " of ", snapshot.max_parallelism));
    }
    Status status = check_states(keyed);
    if (status) status = check_rows(keyed);
    if (!status) return status;
  }
  return {};
}

Status check_operator(const OperatorSnapshot& snapshot) {
  Status status = check_pieces(snapshot.pieces);
  if (status) status = check_keyed(snapshot);
  if (status && snapshot.subtask >= snapshot.parallelism) {
    status = wrong(concat("it is subtask ", snapshot.subtask, " of ", snapshot.parallelism,
                          ", counted from 0"));
  }
  if (status) return status;
  return status.error().with_context(concat("operator ", in_quotes(snapshot.name)));
}

// Its numbers may be followed.
Status check_metadata(const CheckpointMetadata& metadata) {
  Status status = check_pieces(metadata.enumerators);
  for (const TaskSnapshot& task : metadata.tasks) {
    for (const OperatorSnapshot& snapshot : task.operators) {
      if (status) status = check_operator(snapshot);
    }
  }
  return status;
}

Result<CheckpointMetadata> decode(const SealedFormat& format, std::string_view bytes,
                                  std::string_view file) {
  Result<CheckpointMetadata> metadata = unseal<CheckpointMetadata>(format, bytes, file);
  if (!metadata) return metadata;
  Status status = check_metadata(*metadata);
  if (!status) return status.error().with_context(concat("'", file, "'"));
  return metadata;
}

}  // namespace

Result<std::string> encode_checkpoint(const CheckpointMetadata& metadata) {
  return seal(kFormat, metadata);
}

Result<CheckpointMetadata> decode_checkpoint(std::string_view bytes, std::string_view file) {
  return decode(kFormat, bytes, file);
}

Result<std::string> encode_savepoint(const CheckpointMetadata& metadata) {
  return seal(kSavepoint, metadata);
}

Result<CheckpointMetadata> decode_savepoint(std::string_view bytes, std::string_view file) {
  return decode(kSavepoint, bytes, file);
}

bool is_savepoint(std::string_view bytes) { return bytes.starts_with(kSavepoint.magic); }

Result<CheckpointMetadata> read_checkpoint(CheckpointStore& store,
                                           const CheckpointName& checkpoint) {
  const Result<std::string> bytes = store.read_metadata(checkpoint);
  if (!bytes) return bytes.error();
  const std::string file = concat(to_string(checkpoint), "/_metadata");
  Result<CheckpointMetadata> metadata = decode_checkpoint(*bytes, file);
  if (!metadata) return metadata;
  const CheckpointName found{.id = CheckpointId(metadata->id), .epoch = metadata->epoch};
  if (found == checkpoint) return metadata;
  return corruption(concat("'", file, "' is the metadata of ", to_string(found), ", not of ",
                           to_string(checkpoint),
                           ": was it copied or renamed? Restore it from where it lay"));
}

}  // namespace millrace::detail
