// What a leader has in memory of a job: what was handed in, how it goes, and how it ended.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/cluster_control.h"
#include "millrace/coordination/document_store.h"
#include "millrace/coordination/job_documents.h"
#include "millrace/plan/execution_plan.h"

namespace millrace {

struct KnownJob {
  detail::SubmittedJob submitted;
  detail::DocumentVersion version = detail::kNoDocument;
  std::string name = {};
  std::shared_ptr<const detail::ExecutionPlan> plan = nullptr;
  detail::JobView view = {};
  std::string waits = {};  // for what
  std::optional<detail::JobEnd> ended = std::nullopt;
  bool end_kept = false;  // so that the next leader knows it too
  bool rescales = false;  // while its tasks are ended for that
  std::map<std::string, detail::SavepointReport> savepoints = {};
};

detail::JobReport report_of(const std::string& id, const KnownJob& job);

// How a job ended that did so with that status.
detail::JobEnd end_of(const KnownJob& job, const Status& status, Timestamp at);

}  // namespace millrace
