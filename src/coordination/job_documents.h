// What a leader keeps of the cluster's jobs, as documents that the next one finds:
//
//   submissions/ID   what was handed in, and what was asked of it since
//   jobs/ID          the job's record, which its ledger writes
//   results/ID       how it ended
//
// A job is there as long as its submission is: that is what is written first and erased first, so
// no leader runs a job of which a part is missing. Whatever else an erasure that came to no end
// has left is erased by the next leader, and before another job gets the same id.
//
// Each change is fenced by the leader's epoch. Calls block; those for one id come one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/document_store.h"
#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

// A plain struct: it is written as it stands (docs/FORMATS.md).
struct SubmittedJob {
  JobSubmission submission;
  std::uint32_t parallelism = 0;      // as it was handed in, or rescaled to; 0: as the plan has it
  std::uint32_t max_parallelism = 0;  // once it was decided
  bool cancelled = false;             // somebody asked for that
  Timestamp at;
  std::uint32_t wanted = 0;  // an adaptive job may have less for a time; 0: that parallelism
};

// Likewise.
struct JobEnd {
  std::string phase;  // finished, stopped, cancelled or failed
  std::string reason;
  Timestamp at;
};

class JobDocuments {
 public:
  JobDocuments(DocumentStore& documents, LeaderEpoch epoch)
      : documents_(documents), epoch_(epoch) {}

  struct Found {
    SubmittedJob job;
    DocumentVersion version;
  };

  Result<std::vector<std::string>> ids();
  Result<std::optional<Found>> find(const std::string& id);
  Result<std::optional<JobRecord>> record_of(const std::string& id);
  // Nothing while none is kept.
  Result<std::optional<JobEnd>> end_of(const std::string& id);

  // Makes it, where the version is kNoDocument, or replaces it. It can be repeated.
  Result<DocumentVersion> keep(const SubmittedJob& job, DocumentVersion version);
  // The first end that is kept counts.
  Status keep_end(const std::string& id, const JobEnd& end);

  // All of it. It can be repeated.
  Status forget(const std::string& id);
  // Of jobs that are not there.
  Status forget_remains();

 private:
  Status erase_remains(const std::string& id);

  DocumentStore& documents_;
  const LeaderEpoch epoch_;
};

}  // namespace millrace::detail
