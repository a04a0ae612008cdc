#include "millrace/core/executor.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

namespace millrace {
namespace {

struct SharedWork {
  const std::size_t parts;
  const std::function<void(std::size_t)>& work;  // is there as long as a part is left
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;

  void run() noexcept {
    for (std::size_t part = next++; part < parts; part = next++) {
      work(part);
      if (++done == parts) done.notify_one();
    }
  }
  void wait() {
    for (std::size_t seen = done; seen != parts; seen = done) done.wait(seen);
  }
};

}  // namespace

void share_work(std::size_t parts, Executor& helpers, std::size_t most_helpers,
                const std::function<void(std::size_t)>& work) {
  const auto shared = std::make_shared<SharedWork>(parts, work);
  const auto run = [shared]() noexcept { shared->run(); };
  try {
    for (std::size_t i = 1; i < std::min(parts, most_helpers + 1); ++i) helpers.execute(run);
  } catch (const std::exception&) {  // no thread is to be had: it goes without
  }
  run();
  shared->wait();
}

ThreadExecutor::~ThreadExecutor() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadExecutor::execute(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  if (ending_) return;
  waiting_.push_back(std::move(work));
  if (waiting_.size() > idle_ && threads_.size() < most_) {
    threads_.emplace_back([this] { run(); });
  } else {
    changed_.notify_one();
  }
}

void ThreadExecutor::finish() {
  std::unique_lock lock(mutex_);
  rested_.wait(lock, [&] { return waiting_.empty() && idle_ == threads_.size(); });
}

void ThreadExecutor::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (waiting_.empty()) {
      ++idle_;
      rested_.notify_all();
      changed_.wait(lock);
      --idle_;
      continue;
    }
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void SerialExecutor::execute(std::function<void()> work) {
  {
    std::lock_guard lock(queue_->mutex);
    queue_->waiting.push_back(std::move(work));
    if (std::exchange(queue_->running, true)) return;
  }
  queue_->on.execute([queue = queue_] { run_next(queue); });
}

// One piece at a time, so that others have their turn on the executor below.
void SerialExecutor::run_next(const std::shared_ptr<Queue>& queue) {
  std::unique_lock lock(queue->mutex);
  const std::function<void()> work = std::move(queue->waiting.front());
  queue->waiting.pop_front();
  lock.unlock();
  work();
  lock.lock();
  queue->running = !queue->waiting.empty();
  if (!queue->running) return;
  lock.unlock();
  queue->on.execute([queue] { run_next(queue); });
}

}  // namespace millrace
