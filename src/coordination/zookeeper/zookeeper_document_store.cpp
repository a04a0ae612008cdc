#include "millrace/coordination/zookeeper/zookeeper_document_store.h"

#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Kind = ZooKeeperOperation::Kind;
using Why = ZooKeeperRefusal::Why;
using Refused = Result<std::optional<ZooKeeperRefusal>>;

constexpr std::size_t kFence = 0;  // where the check of the leader stands among the operations

DocumentVersion version_of(std::int32_t version) {
  return DocumentVersion(static_cast<std::uint64_t>(version) + 1);
}
std::int32_t node_version(DocumentVersion version) {
  return static_cast<std::int32_t>(version.value()) - 1;
}

bool lacks_folder(const Refused& refused, const ZooKeeperOperation& operation) {
  return refused && *refused && (*refused)->operation != kFence &&
         (*refused)->why == Why::kNoNode && operation.kind == Kind::kCreate;
}

}  // namespace

std::string ZooKeeperDocumentStore::node(std::string_view path) const {
  return concat(election_.options().path, '/', path);
}

// In which a reader sees what everybody has written, though it may be with a server that lags.
Result<ZooKeeperDocumentStore::Session> ZooKeeperDocumentStore::current_session() {
  Result<Session> session = election_.session();
  if (!session) return session;
  Status status = (*session)->await_connection();
  if (status) status = (*session)->sync();
  if (!status) return status.error();
  return session;
}

Result<std::vector<std::string>> ZooKeeperDocumentStore::list(std::string_view folder) {
  Result<Session> session = current_session();
  if (!session) return session.error();
  return (*session)->children(node(folder));
}

Result<std::optional<Document>> ZooKeeperDocumentStore::read(std::string_view path) {
  Status well = check_document(path, 0);
  if (!well) return well.error();
  Result<Session> session = current_session();
  if (!session) return session.error();
  auto found = (*session)->get(node(path));
  if (!found) return found.error();
  if (!*found) return std::optional<Document>();
  return std::optional(Document{std::move((*found)->data), version_of((*found)->version)});
}

Result<DocumentVersion> ZooKeeperDocumentStore::write(std::string_view path,
                                                      DocumentVersion version,
                                                      std::string_view bytes, LeaderEpoch leader) {
  Status well = check_document(path, bytes.size());
  if (!well) return well.error();
  ZooKeeperOperation operation{
      .kind = Kind::kCreate, .path = node(path), .data = std::string(bytes)};
  if (version != kNoDocument) {
    operation.kind = Kind::kSet;
    operation.version = node_version(version);
  }
  Refused refused = change(operation, leader);
  if (lacks_folder(refused, operation)) {
    const std::string folder = node(path.substr(0, path.find('/')));
    const Refused made = change({.kind = Kind::kCreate, .path = folder}, leader);
    if (!made) return made.error();
    refused = change(std::move(operation), leader);
  }
  Status settled = settle(refused, path, version, leader);
  if (!settled) return settled.error();
  return DocumentVersion(version.value() + 1);
}

Status ZooKeeperDocumentStore::erase(std::string_view path, DocumentVersion version,
                                     LeaderEpoch leader) {
  check(version != kNoDocument, "a document was to be erased that is none");
  Status well = check_document(path, 0);
  if (!well) return well;
  const Refused refused =
      change({.kind = Kind::kErase, .path = node(path), .version = node_version(version)}, leader);
  return settle(refused, path, version, leader);
}

Refused ZooKeeperDocumentStore::change(ZooKeeperOperation operation, LeaderEpoch leader) {
  const Result<ZooKeeperElection::Fence> fence = election_.fence(leader);
  if (!fence) return fence.error();
  Status connected = fence->session->await_connection();
  if (!connected) return connected.error();
  return fence->session->commit(
      {{.kind = Kind::kCheck, .path = fence->path, .version = fence->version},
       std::move(operation)});
}

// The error that a change ended with, if it did.
Status ZooKeeperDocumentStore::settle(const Refused& refused, std::string_view path,
                                      DocumentVersion version, LeaderEpoch leader) {
  if (!refused) return refused.error();
  if (!*refused) return {};
  if ((*refused)->operation == kFence) {
    return cancelled(concat("another coordinator was elected since epoch ", leader.value(),
                            ", in which this one led: it leads no more, and changes nothing"));
  }
  return cancelled(concat("the document ", in_quotes(path),
                          version == kNoDocument ? " is there already" : " is not of version ",
                          version == kNoDocument ? "" : std::to_string(version.value()),
                          ": it was changed meanwhile, read it again"));
}

}  // namespace millrace::detail
