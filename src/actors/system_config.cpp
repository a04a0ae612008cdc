#include "millrace/actors/system_config.h"

#include <algorithm>
#include <thread>

#include "millrace/actors/scheduler.h"

namespace millrace::detail {

SystemConfig::SystemConfig(std::size_t threads) {
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  set("scheduler.max-threads", threads > 0 ? threads : cores);
  set("scheduler.max-throughput", kMessagesPerTurn);
  load<Scheduler>();
}

}  // namespace millrace::detail
