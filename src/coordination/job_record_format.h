// A job's record as bytes (docs/FORMATS.md, "Job records"): what a metadata store keeps.
#pragma once

#include <string>
#include <string_view>

#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

Result<std::string> encode_job_record(std::string_view job, const JobRecord& record);

// kCorruption if it is damaged, or another job's; kUnsupported if this version cannot read it.
Result<JobRecord> decode_job_record(std::string_view bytes, std::string_view file,
                                    std::string_view job);

}  // namespace millrace::detail
