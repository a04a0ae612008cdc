// Where coordinators can agree, for the tests of what holds everywhere.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "coordination/leadership_recorder.h"
#include "millrace/coordination/document_store.h"
#include "millrace/coordination/leader_election.h"
#include "millrace/coordination/local_document_store.h"
#include "millrace/coordination/local_leader_election.h"
#include "millrace/coordination/memory_cluster.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::test {

// One process's part: the documents end before the election.
struct Coordinator {
  std::unique_ptr<LeadershipRecorder> told = std::make_unique<LeadershipRecorder>();
  std::unique_ptr<detail::LeaderElection> election;
  std::shared_ptr<detail::DocumentStore> documents;

  void join(std::string address) { election->join(std::move(address), told->listener()); }
};

class InMemory {
 public:
  Coordinator coordinator() {
    return {.election = std::make_unique<detail::MemoryLeaderElection>(cluster_),
            .documents = {std::shared_ptr<void>(), &cluster_}};
  }

 private:
  detail::MemoryCluster cluster_;
};

class OnDisk {
 public:
  Coordinator coordinator() {
    return {.election = std::make_unique<detail::LocalLeaderElection>(
                files_, directory_.path("cluster"), Logger(), Duration(1)),
            .documents =
                std::make_shared<detail::LocalDocumentStore>(files_, directory_.path("cluster"))};
  }

 private:
  TemporaryDirectory directory_;
  detail::RealFileSystem files_;
};

}  // namespace millrace::test
