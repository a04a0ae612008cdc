#include "millrace/core/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
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

TEST(ShareWork, DoesEachPartOnceWhoeverHelps) {
  ThreadExecutor helpers(3);
  for (const std::size_t parts : {0, 1, 2, 100}) {
    std::vector<std::atomic<int>> done(parts);
    share_work(parts, helpers, 3, [&](std::size_t part) { ++done[part]; });
    for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
  }
}

TEST(ShareWork, DoesPartsAtTheSameTime) {
  ThreadExecutor helpers(2);
  std::barrier all(3);
  share_work(3, helpers, 2, [&](std::size_t) { all.arrive_and_wait(); });
}

TEST(ShareWork, WaitsForNoHelperThatHasNotBegun) {
  std::vector<std::function<void()>> late;
  struct Busy final : Executor {
    explicit Busy(std::vector<std::function<void()>>& to) : late(to) {}
    void execute(std::function<void()> work) override { late.push_back(std::move(work)); }
    std::vector<std::function<void()>>& late;
  } busy(late);
  int done = 0;
  share_work(4, busy, 2, [&](std::size_t) { ++done; });
  ASSERT_EQ(late.size(), 2U);
  for (const auto& work : late) work();
  EXPECT_EQ(done, 4);
}

}  // namespace
}  // namespace millrace
