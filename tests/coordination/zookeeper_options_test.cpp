#include "millrace/coordination/zookeeper/zookeeper_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/config/options.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

// Lines of high-availability.*, beside the addresses.
Result<ZooKeeperOptions> options_of(const std::string& lines) {
  std::string text;
  if (lines.find("quorum") == std::string::npos) {
    text = "high-availability.zookeeper.quorum: 'a:1'\n";
  }
  return zookeeper_options(
      *Config::load(kEngineOptions, {.file_name = "f", .file_text = text + lines}));
}

TEST(ZooKeeperOptions, HasDefaults) {
  const auto options = options_of("high-availability.zookeeper.quorum: 'a:1, b.c:2181'\n");
  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->quorum, "a:1,b.c:2181");
  EXPECT_EQ(options->path, "/millrace/default");
  EXPECT_EQ(options->session_timeout, Duration(10'000));
  EXPECT_EQ(options->connection_timeout, Duration(5'000));
  EXPECT_EQ(options->authorization, "");
}

TEST(ZooKeeperOptions, TakesWhatIsSet) {
  const auto options = options_of(
      "high-availability.zookeeper.path.root: /a/b_c\n"
      "high-availability.cluster-id: prod-1\n"
      "high-availability.zookeeper.client.session-timeout: 2s\n"
      "high-availability.zookeeper.client.connection-timeout: 1s\n"
      "high-availability.zookeeper.client.authorization: 'alice:se:cret'\n");
  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->path, "/a/b_c/prod-1");
  EXPECT_EQ(options->session_timeout, Duration(2'000));
  EXPECT_EQ(options->connection_timeout, Duration(1'000));
  EXPECT_EQ(options->authorization, "alice:se:cret");
}

TEST(ZooKeeperOptions, NamesTheOptionThatIsWrong) {
  const std::string wrong[][3] = {
      {"high-availability.zookeeper.quorum", "''", "zoo1:2181,zoo2:2181"},
      {"high-availability.zookeeper.quorum", "a", "zoo1:2181,zoo2:2181"},
      {"high-availability.zookeeper.quorum", "'a:0'", "zoo1:2181,zoo2:2181"},
      {"high-availability.zookeeper.quorum", "'a:1,'", "zoo1:2181,zoo2:2181"},
      {"high-availability.zookeeper.quorum", "':1'", "zoo1:2181,zoo2:2181"},
      {"high-availability.zookeeper.path.root", "millrace", "such as /millrace"},
      {"high-availability.zookeeper.path.root", "/", "such as /millrace"},
      {"high-availability.zookeeper.path.root", "/a/", "such as /millrace"},
      {"high-availability.zookeeper.path.root", "/a//b", "such as /millrace"},
      {"high-availability.zookeeper.path.root", "/a/../b", "such as /millrace"},
      {"high-availability.cluster-id", "a/b", "a name of letters"},
      {"high-availability.cluster-id", "''", "a name of letters"},
      {"high-availability.zookeeper.client.session-timeout", "1ms", "between 100ms and 1h"},
      {"high-availability.zookeeper.client.connection-timeout", "0s", "between 100ms and 1h"},
      {"high-availability.zookeeper.client.authorization", "alice", "user:password"},
      {"high-availability.zookeeper.client.authorization", "'alice:'", "user:password"},
      {"high-availability.zookeeper.client.authorization", "':secret'", "user:password"}};
  for (const auto& [key, value, expected] : wrong) {
    const auto options = options_of(key + ": " + value + "\n");
    ASSERT_FALSE(options) << key << ' ' << value;
    EXPECT_EQ(options.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(options.error().message(), HasSubstr(key));
    EXPECT_THAT(options.error().message(), HasSubstr(expected));
    EXPECT_EQ(options.error().message().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::detail
