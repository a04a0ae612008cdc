// How to reach ZooKeeper, and what of it is the cluster's.
#pragma once

#include <string>

#include "millrace/core/config/config.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct ZooKeeperOptions {
  std::string quorum;  // host:port,host:port
  std::string path;    // of the cluster's node
  Duration session_timeout{10'000};
  Duration connection_timeout{5'000};
  std::string authorization;  // user:password; empty: what is written is everybody's
};

// kInvalidArgument names the option that is wrong.
Result<ZooKeeperOptions> zookeeper_options(const Config& config);

}  // namespace millrace::detail
