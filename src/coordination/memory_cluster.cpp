#include "millrace/coordination/memory_cluster.h"

#include <algorithm>

#include "millrace/core/check.h"

namespace millrace::detail {

Result<std::vector<std::string>> MemoryCluster::list(std::string_view folder) {
  const std::lock_guard lock(mutex_);
  const std::string start = std::string(folder) + '/';
  std::vector<std::string> names;
  for (auto at = documents_.lower_bound(start);
       at != documents_.end() && at->first.starts_with(start); ++at) {
    names.push_back(at->first.substr(start.size()));
  }
  return names;
}

Result<std::optional<Document>> MemoryCluster::read(std::string_view path) {
  Status well = check_document(path, 0);
  if (!well) return well.error();
  const std::lock_guard lock(mutex_);
  const auto found = documents_.find(path);
  return found == documents_.end() ? std::nullopt : std::optional(found->second);
}

Result<DocumentVersion> MemoryCluster::write(std::string_view path, DocumentVersion version,
                                             std::string_view bytes, LeaderEpoch leader) {
  Status status = check_document(path, bytes.size());
  if (!status) return status.error();
  const std::lock_guard lock(mutex_);
  status = check_leader(leader, epoch_);
  if (!status) return status.error();
  const auto found = documents_.find(path);
  const bool there = found != documents_.end();
  status = check_version(path, version, there ? found->second.version : kNoDocument);
  if (!status) return status.error();
  Document& document = there ? found->second : documents_[std::string(path)];
  document = {std::string(bytes), DocumentVersion(version.value() + 1)};
  return document.version;
}

Status MemoryCluster::erase(std::string_view path, DocumentVersion version, LeaderEpoch leader) {
  check(version != kNoDocument, "a document was to be erased that is none");
  Status status = check_document(path, 0);
  if (!status) return status;
  const std::lock_guard lock(mutex_);
  status = check_leader(leader, epoch_);
  if (!status) return status;
  const auto found = documents_.find(path);
  const bool there = found != documents_.end();
  status = check_version(path, version, there ? found->second.version : kNoDocument);
  if (status) documents_.erase(found);
  return status;
}

void MemoryCluster::enter(const std::shared_ptr<Member>& member) {
  members_.push_back(member);
  if (leader_.epoch.value() > 0) tell(member, leader_);
  elect();
}

void MemoryCluster::leave(const std::shared_ptr<Member>& member, const std::string& why) {
  std::erase(members_, member);
  if (std::exchange(member->leads, false)) tell(member, Deposed{why});
  elect();
}

// The first that would lead and can.
void MemoryCluster::elect() {
  if (std::ranges::any_of(members_, [](const auto& member) { return member->leads; })) return;
  for (const std::shared_ptr<Member>& member : members_) {
    if (member->address.empty() || member->frozen) continue;
    leader_ = {LeaderEpoch(leader_.epoch.value() + 1), member->address};
    {
      const std::lock_guard lock(mutex_);
      epoch_ = leader_.epoch;
    }
    member->leads = true;
    for (const std::shared_ptr<Member>& each : members_) {
      if (!each->frozen) tell(each, leader_);
    }
    tell(member, Elected{leader_.epoch});
    return;
  }
}

void MemoryCluster::tell(const std::shared_ptr<Member>& member, LeadershipEvent event) {
  untold_.emplace_back(member, std::move(event));
}

// A listener may make things happen to others, which are told after what is told already.
void MemoryCluster::deliver() {
  if (std::exchange(delivering_, true)) return;
  while (!untold_.empty()) {
    const auto [member, event] = std::move(untold_.front());
    untold_.pop_front();
    if (member->listener) member->listener(event);
  }
  delivering_ = false;
}

MemoryLeaderElection::~MemoryLeaderElection() { MemoryLeaderElection::resign(); }

void MemoryLeaderElection::join(std::string address, LeadershipListener listener) {
  check(member_ == nullptr, "an election was joined twice");
  member_ = std::make_shared<MemoryCluster::Member>();
  member_->address = std::move(address);
  member_->listener = std::move(listener);
  cluster_.tell(member_, Thawed{});
  cluster_.enter(member_);
  cluster_.deliver();
}

void MemoryLeaderElection::resign() {
  if (member_ == nullptr || !member_->listener) return;
  cluster_.leave(member_, "it has resigned");
  cluster_.deliver();
  member_->listener = nullptr;
}

void MemoryLeaderElection::freeze() {
  if (std::exchange(member_->frozen, true)) return;
  cluster_.tell(member_, Frozen{"it was cut off"});
  cluster_.deliver();
}

void MemoryLeaderElection::thaw() {
  if (!std::exchange(member_->frozen, false)) return;
  cluster_.tell(member_, Thawed{});
  if (cluster_.leader_.epoch.value() > 0) cluster_.tell(member_, cluster_.leader_);
  cluster_.elect();
  cluster_.deliver();
}

// It comes back as the last.
void MemoryLeaderElection::expire() {
  cluster_.leave(member_, "its session has expired");
  cluster_.enter(member_);
  cluster_.deliver();
}

}  // namespace millrace::detail
