// The jobs that a leader knows, and whether this process leads at all. While it does not it knows
// none, and says so to whoever asks.
//
// Any thread. What is called with a job has it alone, and must not ask for another.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/leader_election.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/launch/known_job.h"

namespace millrace {

class KnownJobs {
 public:
  // --- who leads ---

  void lead(LeaderEpoch epoch);
  void lead_no_more();
  void note_leader(const detail::LeaderKnown& known);
  // Why who leads may be known no more; empty: it is known.
  void note_trouble(const std::string& trouble);

  bool leads(LeaderEpoch epoch) const;
  Result<LeaderEpoch> leading() const;
  detail::LeaderReport leader() const;

  // --- jobs ---

  // There are no others.
  void know_all(LeaderEpoch epoch);
  bool knows_all() const;

  // kNotFound where there is none, and kUnavailable as long as there may be.
  template <class Use>
  auto with(std::string_view id, Use use) -> decltype(use(std::declval<KnownJob&>())) {
    const std::lock_guard lock(mutex_);
    const auto job = jobs_.find(std::string(id));
    if (epoch_ && job != jobs_.end()) return use(job->second);
    return missing(id);
  }
  Result<KnownJob> find(std::string_view id);
  void each(const std::function<void(const std::string& id, const KnownJob& job)>& use) const;
  Result<std::vector<detail::JobReport>> reports() const;  // the oldest first

  // Does nothing unless this process leads in that epoch, and says whether it does.
  bool put(KnownJob job, LeaderEpoch epoch);
  void erase(const std::string& id, LeaderEpoch epoch);

 private:
  Error missing(std::string_view id) const;
  Error not_leading() const;

  mutable std::mutex mutex_;
  std::optional<LeaderEpoch> epoch_;  // while it leads
  bool knows_all_ = false;
  detail::LeaderKnown known_;
  std::string trouble_;
  std::map<std::string, KnownJob> jobs_;
};

}  // namespace millrace
