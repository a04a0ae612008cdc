// The election in ZooKeeper (docs/design/007, "Election and metadata"). Each candidate has an
// ephemeral node, with a number; the one with the least leads once it has raised the epoch in the
// cluster's `leader` node. Each other watches the one before it, so that a death wakes one.
//
// It works on a thread of its own, which calls the listener. Whether this process still leads is
// asked before each change (fence()), from any thread: the answer is no as soon as the session may
// have expired by this machine's clock, whatever has been heard. What is sent nevertheless, by a
// process that is stopped just then, the fence refuses.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "millrace/coordination/leader_election.h"
#include "millrace/coordination/leader_format.h"
#include "millrace/coordination/zookeeper/zookeeper_session.h"
#include "millrace/core/log.h"

namespace millrace::detail {

class ZooKeeperElection final : public LeaderElection {
 public:
  // What a leader's changes go through, and are conditional on.
  struct Fence {
    std::shared_ptr<ZooKeeperSession> session;
    std::string path;  // of the node that has this version as long as nobody else was elected
    std::int32_t version = 0;
  };

  explicit ZooKeeperElection(ZooKeeperOptions options, Logger log = {});
  ~ZooKeeperElection() override;

  void join(std::string address, LeadershipListener listener) override;
  void resign() override;

  // kCancelled if this process does not lead in that epoch.
  Result<Fence> fence(LeaderEpoch epoch) const;
  // kUnavailable while there is none.
  Result<std::shared_ptr<ZooKeeperSession>> session() const;
  const ZooKeeperOptions& options() const { return options_; }

 private:
  struct Held {
    LeaderEpoch epoch;
    std::int32_t version = 0;
  };
  struct Leader {
    LeaderRecord record;
    std::int32_t version = 0;
  };

  void run();
  void wait(Duration most);
  void poke();
  bool ending() const;

  Duration step();
  void open_session();
  void drop_session();
  Duration await_connection();
  Status take_part();
  Status prepare();
  Result<Leader> look_at_leader();
  void compare(const Leader& leader);
  Status stand();
  Status await_turn(const std::string& before);
  Status lead(const Leader& leader);

  void take_lead(Held held);
  void depose(std::string why);
  void freeze(const std::string& why);
  void thaw();
  void depose_when_lease_is_over();
  std::string node(std::string_view name) const;

  const ZooKeeperOptions options_;
  const Logger log_;

  mutable std::mutex mutex_;
  std::condition_variable poked_;
  bool is_poked_ = false;
  bool ending_ = false;
  std::shared_ptr<ZooKeeperSession> session_;  // changed by the thread alone
  std::optional<Held> held_;                   // likewise

  // The thread's own.
  std::string address_;
  LeadershipListener listener_;
  bool frozen_ = true;
  std::string trouble_;  // as it was last logged
  std::chrono::nanoseconds opened_{0};
  bool prepared_ = false;                // the nodes that every cluster has are there
  std::vector<std::string> candidates_;  // in the order in which they would lead
  std::string own_;                      // the name of its node
  std::optional<LeaderRecord> tried_;    // to become, and there was no answer
  LeaderKnown known_;

  std::thread thread_;
};

}  // namespace millrace::detail
