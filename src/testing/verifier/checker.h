// Reads back what a witnessed job has committed, as any reader of its files would, and judges it.
//
//   DIR/sightings, DIR/accounts     part files of JSON lines
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/testing/verifier/event.h"
#include "millrace/testing/verifier/verdict.h"

namespace millrace::test {

inline constexpr std::string_view kSightingsFolder = "sightings";
inline constexpr std::string_view kAccountsFolder = "accounts";

// Fails where it cannot be read.
Result<Verdict> judge(const EventPattern& pattern, const std::filesystem::path& directory);

// The lines of a sink's part files: those of a later checkpoint behind those of an earlier one.
// None if there is no such folder.
Result<std::vector<std::string>> shown_lines(const std::filesystem::path& folder);

// What of the folders' lines differs, whatever their order: a line for each of the first few; empty
// if they are the same byte for byte.
Result<std::string> difference(const std::filesystem::path& expected,
                               const std::filesystem::path& shown);

}  // namespace millrace::test
