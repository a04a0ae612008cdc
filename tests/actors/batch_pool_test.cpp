#include "millrace/actors/batch_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace millrace::detail {
namespace {

BatchPtr batch_of(std::int64_t value) {
  BatchPtr batch = make_batch<std::int64_t>();
  static_cast<Batch<std::int64_t>&>(*batch).push(value);
  return batch;
}

TEST(BatchPool, GivesBackWhatCameLastEmptied) {
  BatchPool pool;
  const BatchPtr prototype = make_batch<std::int64_t>();
  BatchPtr first = batch_of(1);
  BatchPtr second = batch_of(2);
  const AnyBatch* last = &*second;
  pool.put(std::move(first));
  pool.put(std::move(second));
  const BatchPtr taken = pool.take(*prototype);
  EXPECT_EQ(&*taken, last);
  EXPECT_TRUE(taken->empty());
}

TEST(BatchPool, MakesABatchWhereItHasNone) {
  BatchPool pool;
  pool.put(make_batch<std::string>());
  const BatchPtr prototype = make_batch<std::int64_t>();
  const BatchPtr taken = pool.take(*prototype);
  EXPECT_NE(dynamic_cast<Batch<std::int64_t>*>(&*taken), nullptr);
}

TEST(BatchPool, KeepsNothingThatSomeoneElseReads) {
  BatchPool pool;
  const BatchPtr shared = batch_of(1);
  pool.put(shared);
  EXPECT_EQ(shared->size(), 1u);
  EXPECT_NE(&*pool.take(*shared), &*shared);
  EXPECT_TRUE(pool.put_if_few(shared));
}

TEST(BatchPool, LeavesToTheSenderWhatItHasEnoughOf) {
  BatchPool pool;
  int kept = 0;
  while (!pool.put_if_few(make_batch<std::int64_t>())) ASSERT_LT(++kept, 1'000);
  EXPECT_GT(kept, 0);
  EXPECT_FALSE(pool.put_if_few(make_batch<std::string>())) << "each type is counted by itself";
}

TEST(BatchPool, IsBounded) {
  BatchPool pool;
  const BatchPtr prototype = make_batch<std::int64_t>();
  for (int i = 0; i < 1'000; ++i) {
    BatchPtr batch = batch_of(i);
    static_cast<Batch<std::int64_t>&>(*batch).extend(100);
    pool.put(std::move(batch));
  }
  int kept = 0;
  const auto used_before = [](const BatchPtr& batch) {
    return static_cast<Batch<std::int64_t>&>(*batch).values().data() != nullptr;
  };
  while (used_before(pool.take(*prototype))) ASSERT_LT(++kept, 1'000);
  EXPECT_LT(kept, 100);
}

}  // namespace
}  // namespace millrace::detail
