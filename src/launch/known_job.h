// What a leader has in memory of a job: what was handed in, how it goes, and how it ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/adaptive_parallelism.h"
#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/document_store.h"
#include "millrace/coordination/job_documents.h"
#include "millrace/plan/execution_plan.h"

namespace millrace {

// That a job was asked to go on with another parallelism, until it does or cannot.
class Rescale {
 public:
  Rescale(std::uint32_t to, std::uint32_t most) : parallelism(to), wanted(most) {}
  Rescale(const Rescale&) = delete;
  Rescale& operator=(const Rescale&) = delete;
  ~Rescale();

  // Tells who waits; once, whatever is told later.
  void finish(const Status& status);
  std::shared_future<Status> outcome() const { return outcome_; }

  const std::uint32_t parallelism;
  const std::uint32_t wanted;  // by whoever hands jobs in; more than there are slots for
  bool stops = false;          // the tasks end, with all that they did in a checkpoint

 private:
  std::promise<Status> promise_;
  std::shared_future<Status> outcome_ = promise_.get_future().share();
  std::atomic<bool> finished_ = false;
};

struct KnownJob {
  detail::SubmittedJob submitted;
  detail::DocumentVersion version = detail::kNoDocument;
  LeaderEpoch epoch = {};  // in which it is known
  std::string name = {};
  std::shared_ptr<const detail::ExecutionPlan> plan = nullptr;
  std::filesystem::path checkpoints = {};  // where they lie
  detail::JobView view = {};
  bool has_run = false;    // all of its tasks, once: what keeps it now may pass
  std::string waits = {};  // for what
  bool put_off = false;    // what it needs could not be had: it is tried again
  std::optional<detail::AdaptiveParallelism> adaptive = std::nullopt;  // if it is
  std::optional<detail::JobEnd> ended = std::nullopt;
  bool end_kept = false;                       // so that the next leader knows it too
  std::shared_ptr<Rescale> rescale = nullptr;  // that is under way
  std::deque<std::pair<std::string, detail::SavepointReport>> savepoints = {};  // the newest last
};

// The parallelism that it has, and that it would have if there were slots enough.
std::uint32_t parallelism_of(const KnownJob& job);
std::uint32_t wanted_parallelism_of(const KnownJob& job);

detail::JobReport report_of(const std::string& id, const KnownJob& job);

// Says of each subtask on which worker it is; the workers are those of its slots.
void name_workers(detail::JobReport& report, const detail::ExecutionPlan& plan,
                  const std::vector<std::string>& worker_of_slot);

// How a job ended that did so with that status.
detail::JobEnd end_of(const KnownJob& job, const Status& status, Timestamp at);

}  // namespace millrace
