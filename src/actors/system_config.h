// How our actor systems are set up.
#pragma once

#include <caf/actor_system_config.hpp>

#include <cstddef>

namespace millrace::detail {

// Of work that blocks: state is written, splits are looked for, the ledger is kept.
constexpr std::size_t kBlockingThreads = 4;

class SystemConfig : public caf::actor_system_config {
 public:
  explicit SystemConfig(std::size_t threads);  // that run tasks; 0: one per core
};

}  // namespace millrace::detail
