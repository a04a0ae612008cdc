// How the files of a checkpoint store are called (docs/FORMATS.md). A name is ours only if it is
// spelled exactly as we would spell it: whatever else lies there is somebody else's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

inline constexpr std::string_view kMetadataFile = "_metadata";
inline constexpr std::string_view kSharedFolder = "shared";

// "<checksum>-<id>-<epoch>", relative to the folder of shared files.
std::string shared_name(const Checksum& checksum, const CheckpointName& checkpoint);

// ".writing-<id>-<epoch>-<unique>": worth nothing once its writer is gone.
std::string temporary_name(const CheckpointName& checkpoint, std::string_view unique);

// The checkpoint that the name belongs to, if it is such a name.
std::optional<CheckpointName> parse_checkpoint_name(std::string_view name);
std::optional<CheckpointName> parse_shared_name(std::string_view name);
std::optional<CheckpointName> parse_temporary_name(std::string_view name);

// Whether the path is one that put() gives out: nothing else is opened.
bool is_stored_path(std::string_view path);

}  // namespace millrace::detail
