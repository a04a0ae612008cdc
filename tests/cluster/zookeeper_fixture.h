// A cluster whose three coordinators agree by three ZooKeeper servers.
#pragma once

#include "cluster/cluster_fixture.h"
#include "support/zookeeper_ensemble.h"

namespace millrace::test_support {

class ClusterOverZooKeeper : public Cluster {
 protected:
  Words size() {
    return {"--coordinators=3", concat("--zookeeper=", ensemble_.addresses()), "-D",
            "high-availability.zookeeper.client.session-timeout=4s"};
  }

  test::ZooKeeperEnsemble ensemble_{3};
};

}  // namespace millrace::test_support
