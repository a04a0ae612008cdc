// Documents as nodes of ZooKeeper below the cluster's, changed through the fence of the election
// that this process takes part in.
#pragma once

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/zookeeper/zookeeper_election.h"

namespace millrace::detail {

class ZooKeeperDocumentStore final : public DocumentStore {
 public:
  explicit ZooKeeperDocumentStore(const ZooKeeperElection& election) : election_(election) {}

  Result<std::vector<std::string>> list(std::string_view folder) override;
  Result<std::optional<Document>> read(std::string_view path) override;
  Result<DocumentVersion> write(std::string_view path, DocumentVersion version,
                                std::string_view bytes, LeaderEpoch leader) override;
  Status erase(std::string_view path, DocumentVersion version, LeaderEpoch leader) override;

 private:
  using Session = std::shared_ptr<ZooKeeperSession>;

  Result<Session> current_session();
  Result<std::optional<ZooKeeperRefusal>> change(ZooKeeperOperation operation, LeaderEpoch leader);
  Status settle(const Result<std::optional<ZooKeeperRefusal>>& refused, std::string_view path,
                DocumentVersion version, LeaderEpoch leader);
  std::string node(std::string_view path) const;

  const ZooKeeperElection& election_;
};

}  // namespace millrace::detail
