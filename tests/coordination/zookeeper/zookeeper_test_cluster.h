// The servers of this test binary, and clusters of their own for tests.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "coordination/coordination_places.h"
#include "millrace/coordination/zookeeper/zookeeper_document_store.h"
#include "support/zookeeper_ensemble.h"

namespace millrace::test {

// Three, which are all up before each test.
ZooKeeperEnsemble& ensemble();

// Of a cluster that no other test has.
detail::ZooKeeperOptions fresh_cluster(Duration session_timeout = Duration(6'000));

Coordinator coordinator_of(const detail::ZooKeeperOptions& options, const Logger& log = {});

// What it would be for coordinators elsewhere.
class OnZooKeeper {
 public:
  Coordinator coordinator() { return coordinator_of(options_); }

 private:
  const detail::ZooKeeperOptions options_ = fresh_cluster();
};

// A session beside the elections, to look and to meddle. Connected.
std::shared_ptr<detail::ZooKeeperSession> session_of(const detail::ZooKeeperOptions& options);

// Whether it becomes so in a minute.
bool eventually(const std::function<bool()>& so);

// What was logged.
class LogLines {
 public:
  Logger logger() const { return logging_.logger("coordination"); }
  // Whether a line with all of these was logged, or is soon.
  bool has(const std::vector<std::string>& parts) const;

 private:
  struct Kept {
    std::mutex mutex;
    std::vector<std::string> lines;
  };
  class Sink;

  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
  Logging logging_ = make_logging(kept_);
  static Logging make_logging(std::shared_ptr<Kept> kept);
};

}  // namespace millrace::test
