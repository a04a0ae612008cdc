#include "millrace/coordination/worker_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

const std::string kJob = "0123456789abcdef0123456789abcdef";

TEST(HostId, IsReadAsItIsWritten) {
  const HostId host{kJob, 18'446'744};
  EXPECT_EQ(to_string(host), kJob + "-18446744");
  EXPECT_EQ(*parse_host_id(to_string(host)), host);
}

TEST(HostId, HasOneForm) {
  for (const std::string& text :
       {std::string(), kJob, kJob + "-", kJob + "-x", kJob + "-01", kJob + "--1", kJob + "-+1",
        kJob.substr(1) + "-1", "G" + kJob.substr(1) + "-1", "../" + kJob + "-1"}) {
    const Result<HostId> host = parse_host_id(text);
    ASSERT_FALSE(host) << text;
    EXPECT_THAT(host.error().message(), HasSubstr("hexadecimal digits, a dash and a number"));
  }
}

TEST(LeaderAddress, IsReadAsItIsWritten) {
  const LeaderAddress address{"10.0.0.1:6123", "http://coordinator.example:8081"};
  EXPECT_EQ(to_string(address), "10.0.0.1:6123 http://coordinator.example:8081");
  EXPECT_EQ(*parse_leader_address(to_string(address)), address);
}

TEST(LeaderAddress, IsRefusedWhereAPartIsWrong) {
  for (const std::string_view text :
       {"", "10.0.0.1:6123", "10.0.0.1 http://10.0.0.1:8081", "10.0.0.1:0 http://10.0.0.1:8081",
        "10.0.0.1:70000 http://10.0.0.1:8081", ":6123 http://10.0.0.1:8081",
        "10.0.0.1:6123 10.0.0.1:8081", "10.0.0.1:6123 http://10.0.0.1",
        "10.0.0.1:6123 http://10.0.0.1:8081/", "10.0.0.1:6123 http://10.0.0.1:8081 more"}) {
    const Result<LeaderAddress> address = parse_leader_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message(), HasSubstr("is no leader's address; expected"));
  }
}

}  // namespace
}  // namespace millrace::detail
