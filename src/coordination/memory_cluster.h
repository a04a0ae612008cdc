// What the coordinators of a cluster agree on, in memory: the election and the documents of
// simulations and tests. Nothing happens but in calls, and listeners are called in them.
//
// Elections belong to one thread at a time; documents to any.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "millrace/coordination/document_store.h"
#include "millrace/coordination/leader_election.h"

namespace millrace::detail {

class MemoryCluster final : public DocumentStore {
 public:
  Result<std::vector<std::string>> list(std::string_view folder) override;
  Result<std::optional<Document>> read(std::string_view path) override;
  Result<DocumentVersion> write(std::string_view path, DocumentVersion version,
                                std::string_view bytes, LeaderEpoch leader) override;
  Status erase(std::string_view path, DocumentVersion version, LeaderEpoch leader) override;

 private:
  friend class MemoryLeaderElection;
  struct Member {
    std::string address;
    LeadershipListener listener;  // none once it has resigned
    bool leads = false;
    bool frozen = false;
  };

  void enter(const std::shared_ptr<Member>& member);
  void leave(const std::shared_ptr<Member>& member, const std::string& why);
  void elect();
  void tell(const std::shared_ptr<Member>& member, LeadershipEvent event);
  void deliver();

  std::vector<std::shared_ptr<Member>> members_;  // those that came first lead first
  std::deque<std::pair<std::shared_ptr<Member>, LeadershipEvent>> untold_;
  bool delivering_ = false;
  LeaderKnown leader_;

  std::mutex mutex_;  // of what follows
  LeaderEpoch epoch_;
  std::map<std::string, Document, std::less<>> documents_;
};

// One process's part in it. The cluster outlives it.
class MemoryLeaderElection final : public LeaderElection {
 public:
  explicit MemoryLeaderElection(MemoryCluster& cluster) : cluster_(cluster) {}
  ~MemoryLeaderElection() override;

  void join(std::string address, LeadershipListener listener) override;
  void resign() override;

  // What happens to a process: it is cut off and back, or so long that another leads meanwhile.
  void freeze();
  void thaw();
  void expire();

 private:
  MemoryCluster& cluster_;
  std::shared_ptr<MemoryCluster::Member> member_;
};

}  // namespace millrace::detail
