// What a leader runs of a job that was handed in: its plan, its settings with the stores that they
// borrow, and what its hosts are told. And what must be so before it begins, or goes on otherwise.
//
// Calls block.
#pragma once

#include <filesystem>
#include <string_view>

#include "millrace/actors/coordinator_system.h"
#include "millrace/coordination/artifact_store.h"
#include "millrace/coordination/document_store.h"
#include "millrace/coordination/job_documents.h"
#include "millrace/core/result.h"
#include "millrace/state/files/file_system.h"

namespace millrace {

// Where a cluster keeps what its jobs need. All of it outlives them.
struct ClusterPlaces {
  detail::FileSystem& files;
  detail::ArtifactStore& artifacts;
  detail::DocumentStore& documents;
  const std::filesystem::path& directory;  // with checkpoints, unless a job names another
};

// For the leader of that epoch; `again` if the job has run before.
Result<detail::ClusterJob> open_job(const ClusterPlaces& places,
                                    const detail::SubmittedJob& submitted, LeaderEpoch epoch,
                                    bool again);

// Of a new job: whether nobody else's checkpoints are where its own will be.
Status check_beginning(const ClusterPlaces& places, const detail::ClusterJob& job);

// Whether it can go on so, with this parallelism, from where it is.
Status check_going_on(const detail::ClusterJob& job);

// Of a job that has ended so, unless it asked to keep them.
Status remove_checkpoints(const ClusterPlaces& places, const detail::SubmittedJob& submitted,
                          std::string_view phase);

}  // namespace millrace
