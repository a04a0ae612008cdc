// The bytes of keyed state's rows, as docs/FORMATS.md has them: whoever changes them loses what is
// in everybody's checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/state/list_state.h"
#include "millrace/state/map_state.h"
#include "millrace/state/timers.h"
#include "millrace/state/value_state.h"
#include "state/state_fixture.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char c : bytes) {
    digits += kDigits[static_cast<unsigned char>(c) >> 4];
    digits += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return digits;
}

struct Account {
  std::string owner;
  std::int32_t cents = 0;
};

struct Owner : OwnerUnderTest<std::string> {
  ValueState<Account> value{*this, "value"};
  ValueState<std::int64_t> dated{*this, "dated", expire_after(1h)};
  ListState<std::int16_t> list{*this, "list"};
  ListState<std::int16_t> dated_list{*this, "dated list", expire_after(1h)};
  MapState<std::int64_t, bool> map{*this, "map"};
  KeyTimers<std::string> timers{*this};
};

TEST(RowFormat, IsForEver) {
  StateWorld world;
  std::vector<std::string> rows;
  world.stores.on_row = [&](const StateRow& row) {
    rows.push_back(hex(row.key) + " " + hex(*row.value));
  };
  Owner owner;
  owner.open(world);
  ASSERT_TRUE(owner.timers.open());
  world.clock.advance(5ms);
  owner.at("Basel");
  owner.value = Account{"x", 7};
  owner.dated = 9;
  owner.list.add(1);
  owner.list.add(2);
  owner.dated_list.add(3);
  owner.map.put(4, true);
  owner.timers.at(Timestamp(6ms));
  (void)owner.checkpoint();
  const std::string key =
      "9e6a3ed2"
      "0500000000000000"
      "426173656c";  // hash, length, "Basel"
  const std::string touched = "0500000000000000";
  const std::string never = "0000000000000080";
  EXPECT_THAT(rows, ElementsAre("0000" + key +
                                    " 00"
                                    "0101"
                                    "78"
                                    "07000000",
                                "0001" + key +
                                    " 00"
                                    "0900000000000000" +
                                    touched,
                                "0002" + key +
                                    "0000000000000000 00"
                                    "0102"
                                    "01000200"
                                    "0100",
                                "0003" + key +
                                    "0000000000000000 00"
                                    "0101"
                                    "0300"
                                    "0101" +
                                    touched,
                                "0004" + key +
                                    "0400000000000000 00"
                                    "01" +
                                    never,
                                "0005" + key +
                                    "0600000000000000 00"
                                    "00"));
}

}  // namespace
}  // namespace millrace::detail
