#include "millrace/coordination/submission.h"

#include "millrace/core/text.h"
#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRSUB", .version = 1, .what = "submission"};

}  // namespace

Result<std::string> encode(const Submission& submission) { return seal(kFormat, submission); }

Result<Submission> decode_submission(std::string_view bytes, std::string_view program) {
  Result<Submission> submission = unseal<Submission>(kFormat, bytes, program);
  if (submission) return submission;
  return submission.error().with_context(concat(
      in_quotes(program),
      " does not describe a job when it is run with --plan=submission, as an executable whose "
      "main() calls millrace::run() does"));
}

}  // namespace millrace::detail
