// What becomes of a record in a file that cannot be read: the job fails, or it goes on without it
// and counts it, or hands it to a side output.
//
//   auto payments = job.from(files<Payment>("in", csv({.on_error = OnError::kSideOutput})));
//   payments.side_output(kBadRecords).to(files("refused", json_lines()));
#pragma once

#include <cstdint>
#include <string>

#include "millrace/core/result.h"
#include "millrace/operators/output_tag.h"

namespace millrace {

enum class OnError : std::uint8_t {
  kFail,          // the job fails, and its message says where the record is
  kSkipAndCount,  // left out; how many there were is said on standard error when the source closes
  kSideOutput,    // emitted to kBadRecords
};

struct BadRecord {
  std::string file;
  std::int64_t line = 0;    // from 1; of the field at fault
  std::int64_t column = 0;  // from 1, in bytes; of the field at fault
  std::string field;        // empty if the record as a whole is at fault
  std::string error;
  std::string text;  // all of the record, as it stands in the file
};

inline constexpr OutputTag<BadRecord> kBadRecords{"bad-records"};

}  // namespace millrace

namespace millrace::detail {

// "payments.csv:3:7: field 'cents': '12x' is no int64; ..."
std::string to_string(const BadRecord& bad);

// Counts bad records, and makes the error of a source that fails at the first.
class BadRecordCount {
 public:
  // The error with which to fail; `format` is the option's function, such as "csv".
  static Error failure(const BadRecord& bad, std::string_view format);

  void add(const BadRecord& bad);

  // One line on standard error if there were any.
  void report(std::string_view source) const;

 private:
  std::uint64_t count_ = 0;
  std::string first_;
};

}  // namespace millrace::detail
