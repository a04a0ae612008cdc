#include "millrace/plan/cluster.h"

#include <mutex>
#include <optional>

namespace millrace::detail {
namespace {

// Passed from the thread that knows it to the one that waits.
class Taken {
 public:
  void set(Status status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  std::optional<Status> get() {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  std::mutex mutex_;
  std::optional<Status> status_;
};

}  // namespace

Status take_savepoint(RunningJob& job, SavepointOrder order) {
  const auto taken = std::make_shared<Taken>();
  job.savepoint(std::move(order), [taken](Status status) { taken->set(std::move(status)); });
  for (bool ended = false; !ended;) {
    ended = job.wait_for(std::chrono::milliseconds(1));
    if (std::optional<Status> status = taken->get()) return *std::move(status);
  }
  return unavailable("the job ended before its savepoint was complete");
}

}  // namespace millrace::detail
