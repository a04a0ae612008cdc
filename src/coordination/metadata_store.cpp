#include "millrace/coordination/metadata_store.h"

#include "millrace/core/text.h"

namespace millrace::detail {

bool is_from_nothing(const JobRecord& record) {
  if (std::holds_alternative<RestoreFromLatest>(record.restore)) return record.completed.empty();
  return std::holds_alternative<RestoreFromNothing>(record.restore);
}

Status check_replaceable(std::string_view job, const std::optional<JobRecord>& current,
                         std::uint64_t version, std::uint64_t epoch) {
  const std::uint64_t found = current ? current->version : 0;
  if (found != version) {
    return cancelled(concat("the record of job ", in_quotes(job), " is of version ", found,
                            ", expected ", version,
                            ": another coordinator leads the job now, this one stops"));
  }
  if (current && current->epoch > epoch) {
    return cancelled(concat("the record of job ", in_quotes(job), " belongs to leader epoch ",
                            current->epoch, ", this one is of epoch ", epoch,
                            ": another coordinator leads the job now, this one stops"));
  }
  return {};
}

}  // namespace millrace::detail
