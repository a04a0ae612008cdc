// A job's record as bytes (docs/FORMATS.md, "Job records"): what a metadata store keeps.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

Result<std::string> encode_job_record(std::string_view job, const JobRecord& record);

// kCorruption if it is damaged, or another job's than the one that is named; kUnsupported if this
// version cannot read it.
Result<JobRecord> decode_job_record(std::string_view bytes, std::string_view file,
                                    std::optional<std::string_view> job = std::nullopt);

}  // namespace millrace::detail
