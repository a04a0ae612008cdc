// Records of jobs as documents: what a leader gives the ledgers of its jobs. The bytes are those of
// docs/FORMATS.md, "Job records".
#pragma once

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

class DocumentMetadataStore final : public MetadataStore {
 public:
  // Writes as the leader of that epoch; when it is deposed, another store takes this one's place.
  DocumentMetadataStore(DocumentStore& documents, LeaderEpoch leader)
      : documents_(documents), leader_(leader) {}

  Result<std::optional<JobRecord>> read(std::string_view job) override;
  Result<JobRecord> write(std::string_view job, std::uint64_t version, JobRecord record) override;

 private:
  DocumentStore& documents_;
  const LeaderEpoch leader_;
};

}  // namespace millrace::detail
