// The metadata file of a checkpoint or savepoint (docs/FORMATS.md, "Checkpoints", "Savepoints").
#pragma once

#include <string>
#include <string_view>

#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

Result<std::string> encode_checkpoint(const CheckpointMetadata& metadata);

// Trusts nothing: what is no whole and well-formed metadata is kCorruption, what another version
// wrote in a form that this one cannot read is kUnsupported. `file` is for messages.
Result<CheckpointMetadata> decode_checkpoint(std::string_view bytes, std::string_view file);

// The same of a savepoint: another kind of file.
Result<std::string> encode_savepoint(const CheckpointMetadata& metadata);
Result<CheckpointMetadata> decode_savepoint(std::string_view bytes, std::string_view file);
bool is_savepoint(std::string_view bytes);

// Reads and decodes it, and sees that it is this checkpoint's.
Result<CheckpointMetadata> read_checkpoint(CheckpointStore& store,
                                           const CheckpointName& checkpoint);

}  // namespace millrace::detail
