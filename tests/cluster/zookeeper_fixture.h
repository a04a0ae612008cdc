// A cluster whose three coordinators agree by three ZooKeeper servers.
#pragma once

#include "cluster/cluster_fixture.h"
#include "support/zookeeper_ensemble.h"

namespace millrace::test_support {

class ClusterOverZooKeeper : public Cluster {
 protected:
  Words size(std::string_view session = "4s") {
    return {"--coordinators=3", concat("--zookeeper=", ensemble_.addresses()), "-D",
            concat("high-availability.zookeeper.client.session-timeout=", session)};
  }

  // How often coordinators have said that.
  std::size_t said(std::string_view what) const {
    std::size_t times = 0;
    for (int i = 1; i <= 3; ++i) {
      const std::string log =
          faults::content_of(root() / "cluster" / "logs" / concat("coordinator-", i, ".log"));
      for (std::size_t at = 0; (at = log.find(what, at)) != std::string::npos; ++at) ++times;
    }
    return times;
  }

  test::ZooKeeperEnsemble ensemble_{3};
};

}  // namespace millrace::test_support
