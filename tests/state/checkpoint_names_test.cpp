#include "millrace/state/files/checkpoint_names.h"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

constexpr CheckpointName kName{.id = CheckpointId(12), .epoch = 3};

TEST(CheckpointNames, AreReadBack) {
  EXPECT_EQ(parse_checkpoint_name(to_string(kName)), kName);
  EXPECT_EQ(parse_shared_name(shared_name(checksum_of("x"), kName)), kName);
  EXPECT_EQ(parse_temporary_name(temporary_name(kName, "7-0")), kName);
}

TEST(CheckpointNames, OfOthersAreNotOurs) {
  for (const char* name : {"", "chk-", "chk-12", "chk-12-", "chk-012-3", "chk-12-3 ", "chk-12-3-4",
                           "chk--12-3", "chk-+12-3", "xchk-12-3", "chk-99999999999999999999-3"}) {
    EXPECT_FALSE(parse_checkpoint_name(name)) << name;
  }
  const std::string digits(32, 'a');
  for (const std::string& name :
       {digits, digits + "-1", digits + "-1-x", "a" + digits + "-1-2", digits.substr(1) + "-1-2",
        std::string(32, 'A') + "-1-2", digits + "+1-2"}) {
    EXPECT_FALSE(parse_shared_name(name)) << name;
  }
  for (const char* name : {".writing-", ".writing-1-2", ".writing-1", "writing-1-2-3"}) {
    EXPECT_FALSE(parse_temporary_name(name)) << name;
  }
}

TEST(CheckpointNames, OnlyWhatPutGaveOutIsAStoredPath) {
  const std::string name = shared_name(checksum_of("x"), kName);
  EXPECT_TRUE(is_stored_path("shared/" + name));
  for (const std::string& path :
       {name, "/shared/" + name, "shared/../" + name, "shared/" + name + "/../../x",
        std::string("../../etc/passwd"), std::string("shared/")}) {
    EXPECT_FALSE(is_stored_path(path)) << path;
  }
}

}  // namespace
}  // namespace millrace::detail
