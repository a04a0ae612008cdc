// Where work goes that may block, such as listing a directory: never on the threads that run tasks.
// In simulation it is done at once, on the one thread there is.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace {

class Executor {
 public:
  virtual ~Executor() = default;

  // Does the work now or later, on any thread. It may not throw.
  virtual void execute(std::function<void()> work) = 0;
};

class InlineExecutor final : public Executor {
 public:
  void execute(std::function<void()> work) override { work(); }
};

// Up to so many threads, started as they are needed. The end waits for the work at hand and drops
// the rest.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(std::size_t threads = 1) : most_(threads) {}
  ~ThreadExecutor() override;
  void execute(std::function<void()> work) override;
  // Waits until there is nothing to do, whatever the work itself adds.
  void finish();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable rested_;  // a thread has nothing to do
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::size_t idle_ = 0;  // threads
  const std::size_t most_;
  std::vector<std::thread> threads_;
};

// Does the parts from 0 on, each once, on this thread and on as many of the helpers' as come in
// time, and returns when all are done. Waits for no helper that has not begun. The work may
// not throw.
void share_work(std::size_t parts, Executor& helpers, std::size_t most_helpers,
                const std::function<void(std::size_t)>& work);

// Does work on another executor one after the other, in the order in which it came. What waits when
// this ends is still done.
class SerialExecutor final : public Executor {
 public:
  explicit SerialExecutor(Executor& on) : queue_(std::make_shared<Queue>(on)) {}
  void execute(std::function<void()> work) override;

 private:
  struct Queue {
    explicit Queue(Executor& executor) : on(executor) {}
    Executor& on;
    std::mutex mutex;
    std::deque<std::function<void()>> waiting;
    bool running = false;
  };
  static void run_next(const std::shared_ptr<Queue>& queue);

  std::shared_ptr<Queue> queue_;
};

}  // namespace millrace
