// What becomes of state that the database cannot give.
#include "millrace/state/key_table.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "millrace/state/list_state.h"
#include "millrace/state/value_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

struct Owner : OwnerUnderTest<std::int64_t> {
  ValueState<std::int64_t> value{*this, "value"};
  ListState<std::int64_t> list{*this, "list"};
};

class FailedReadTest : public testing::Test {
 protected:
  FailedReadTest() {
    Owner owner;
    owner.open(world_);
    owner.at(kKey);
    owner.value = 5;
    owner.list.add(5);
    world_.restored = {owner.checkpoint()};
  }

  // A call that catches what the first access throws, and goes on.
  template <class Access>
  void expect_to_fail_the_task(const Access& access) {
    Owner owner;
    owner.open(world_);
    int reads = 0;
    world_.stores.refuse = [&] { return ++reads == 1 ? Status(kError) : Status(); };
    owner.at(kKey);
    EXPECT_THROW(access(owner), std::runtime_error);
    access(owner);
    owner.end_group();
    KeyedBackend& state = owner.keyed_state();
    const Result<bool> worked = state.work();
    ASSERT_FALSE(worked);
    EXPECT_EQ(worked.error(), kError);
    bool done = false;
    state.freeze({CheckpointId(2), 1}, [&](const Result<KeyedSnapshot>&) { done = true; });
    EXPECT_FALSE(state.work()) << "it stays so";
    EXPECT_FALSE(done);
  }

  static constexpr std::int64_t kKey = 7;
  const Error kError = unavailable("the disk does not answer");
  StateWorld world_;
};

TEST_F(FailedReadTest, OfARowFailsTheTaskThoughTheCallCatchesIt) {
  expect_to_fail_the_task([](Owner& owner) { owner.value.edit() += 1; });
}

TEST_F(FailedReadTest, OfACollectionFailsTheTaskThoughTheCallCatchesIt) {
  expect_to_fail_the_task([](Owner& owner) { owner.list.add(6); });
}

}  // namespace
}  // namespace millrace::detail
