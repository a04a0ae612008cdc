#include "millrace/actors/started_job.h"

#include <caf/send.hpp>

#include "millrace/actors/messages.h"

namespace millrace::detail {

void Outcome::set(Status status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
  ended_.notify_all();
}

bool Outcome::wait_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, time, [&] { return status_.has_value(); });
}

Status Outcome::get() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return status_.has_value(); });
  return *status_;
}

StartedJob::StartedJob(caf::actor coordinator, std::shared_ptr<Outcome> outcome,
                       std::vector<WatchedTask> watched)
    : coordinator_(std::move(coordinator)),
      outcome_(std::move(outcome)),
      watched_(std::move(watched)) {}

void StartedJob::savepoint(SavepointOrder order, SavepointTaken done) {
  caf::anon_send(coordinator_, RequestSavepoint{std::move(order), std::move(done)});
}

void StartedJob::cancel() { caf::anon_send(coordinator_, CancelJob{}); }

}  // namespace millrace::detail
