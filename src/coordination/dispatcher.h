// Which slots of which workers the jobs of a cluster have, and which processes host them there: a
// pure state machine that is told what happened and gives commands.
//
// A slot runs the subtasks of one index of a job. A job asks for its slots before each of its
// attempts, and has none or all: until there are enough it waits, in the order of its coming, and
// others that need fewer go first. It keeps what it has from attempt to attempt, so that its tasks
// find their state where it was, and gives it back at its end. A worker that is lost and returns in
// time gets the slots again that it had. On each worker one process hosts all
// of the job's slots there; it is started when the slots are given, and anew when it is asked for
// again after its end.
//
// What another leader has had started runs on. Hosts of jobs that may be adopted are redirected to
// their jobs' new coordinators, each of which keeps them, or asks for slots, which ends them. Until
// all of that is decided nobody gets slots, for it is not known which are free.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// --- what it asks for ---

struct LaunchHost {
  std::string worker;
  HostId host;

  bool operator==(const LaunchHost&) const = default;
};
struct EndHost {
  std::string worker;
  HostId host;

  bool operator==(const EndHost&) const = default;
};
// Have it report to the job's coordinator here.
struct MoveHost {
  std::string worker;
  HostId host;

  bool operator==(const MoveHost&) const = default;
};
// The job has all that it asked for: for each slot its host.
struct GrantSlots {
  std::string job;
  std::vector<HostId> host_of;

  bool operator==(const GrantSlots&) const = default;
};
// It has not, until workers come or jobs end.
struct LackSlots {
  std::string job;
  std::string reason;  // a sentence

  bool operator==(const LackSlots&) const = default;
};
// A host of the job has ended, and it was not asked to.
struct MissHost {
  HostId host;
  Error error;
};

using DispatchCommand =
    std::variant<LaunchHost, EndHost, MoveHost, GrantSlots, LackSlots, MissHost>;

class Dispatcher {
 public:
  using Commands = std::vector<DispatchCommand>;

  // Hosts get numbers that no other leader gives.
  explicit Dispatcher(LeaderEpoch epoch) : next_host_(epoch.value() << 32) {}

  // A worker comes, or comes again, with the hosts that run on it.
  Commands worker_came(const std::string& worker, std::uint32_t slots,
                       const std::vector<HostId>& hosts);
  Commands worker_lost(const std::string& worker, const Error& error);
  Commands host_ended(const std::string& worker, const HostId& host, const Error& error);

  // Hosts of the job may run, and are to be adopted. Later it seeks them, and then keeps them, or
  // none, or is released.
  void expect_hosts(const std::string& job) { expected_.insert(job); }
  // All such jobs are: other hosts of another leader are of no use.
  Commands jobs_known();
  Commands seek_hosts(const std::string& job);
  Commands keep_hosts(const std::string& job, const std::vector<HostId>& host_of_slot);
  // The job has nothing to do with it any more.
  Commands give_up_host(const HostId& host);

  // The job needs so many slots, each with a host that runs.
  Commands need_slots(const std::string& job, std::uint32_t slots);
  // It has ended, or begins anew with another number of them.
  Commands release(const std::string& job);

  struct Room {
    std::uint32_t slots = 0;
    std::uint32_t free = 0;
  };
  const std::map<std::string, Room>& workers() const { return workers_; }
  // Of each of the job's slots; empty where it has none.
  std::vector<std::string> workers_of(const std::string& job) const;

 private:
  struct Job {
    std::vector<std::string> slots;       // by index: the worker, or empty
    std::vector<std::string> homes;       // the lost worker that had it last, and has copies
    std::map<std::string, HostId> hosts;  // by worker: those that were started and run on
    bool waits = false;                   // for its slots
    std::string told;                     // why, as it was told last
  };

  bool is_ours(const std::string& worker, const HostId& host) const;
  bool is_undecided(const std::string& job) const;
  void keep(const std::string& job, const std::vector<HostId>& host_of_slot);
  Commands end_found(const std::string& job);
  Commands forget_found(const std::string& worker, const std::vector<HostId>& still,
                        const Error& error);
  Commands settle();
  void give_slots(const std::string& id, Job& job, Commands& commands);
  void free_slots(Job& job);
  std::uint32_t free_slots() const;
  void take_slot(Job& job, std::size_t slot, const std::string& worker);
  // The worker for another slot of the job: the one that has the most room.
  std::string roomiest() const;

  std::map<std::string, Room> workers_;
  std::map<std::string, Job> jobs_;
  std::vector<std::string> order_;  // of the jobs' coming
  bool knows_jobs_ = false;
  std::set<std::string> expected_;       // jobs whose hosts may be adopted
  std::set<std::string> sought_;         // those of them that are ready for them
  std::map<HostId, std::string> found_;  // hosts of another leader: their workers
  std::uint64_t next_host_;
};

}  // namespace millrace::detail
