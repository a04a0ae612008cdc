#include "millrace/core/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace millrace {
namespace {

TEST(InlineExecutor, WorksAtOnce) {
  InlineExecutor executor;
  bool done = false;
  executor.execute([&] { done = true; });
  EXPECT_TRUE(done);
}

TEST(ThreadExecutor, WorksInOrderOnAThreadOfItsOwn) {
  std::vector<int> done;
  std::promise<std::thread::id> worker;
  ThreadExecutor executor;
  for (int i = 0; i < 100; ++i) executor.execute([&, i] { done.push_back(i); });
  executor.execute([&] { worker.set_value(std::this_thread::get_id()); });
  EXPECT_NE(worker.get_future().get(), std::this_thread::get_id());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(ThreadExecutor, FinishesWhatWorkAddsToo) {
  ThreadExecutor executor(3);
  executor.finish();
  std::atomic<int> done = 0;
  std::function<void()> work = [&] {
    if (++done < 50) executor.execute(work);
  };
  executor.execute(work);
  executor.finish();
  EXPECT_EQ(done, 50);
  executor.execute([&] { ++done; });
  executor.finish();
  EXPECT_EQ(done, 51);
}

TEST(ThreadExecutor, EndsWithTheWorkAtHand) {
  std::promise<void> begun;
  std::promise<void> go_on;
  bool at_hand = false;
  bool waiting = false;
  std::thread releaser;
  {
    ThreadExecutor executor;
    executor.execute([&] {
      begun.set_value();
      go_on.get_future().wait();
      at_hand = true;
    });
    begun.get_future().wait();
    executor.execute([&] { waiting = true; });
    releaser = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      go_on.set_value();
    });
  }
  releaser.join();
  EXPECT_TRUE(at_hand);
  EXPECT_FALSE(waiting);
}

}  // namespace
}  // namespace millrace
