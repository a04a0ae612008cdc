#include "millrace/actors/links/link_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/links/tls_fixture.h"
#include "millrace/core/config/options.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

Result<LinkOptions> options_of(std::vector<ConfigFlag> flags) {
  const Result<Config> config = Config::load(kEngineOptions, {.flags = std::move(flags)});
  EXPECT_TRUE(config) << config.error().message();
  return link_options(*config, {Role::kHost});
}

TEST(LinkOptions, HaveDefaults) {
  const Result<LinkOptions> options = link_options({}, {Role::kHost});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->limits.heartbeat.interval, 2s);
  EXPECT_EQ(options->limits.heartbeat.timeout, 10s);
  EXPECT_EQ(options->tls, nullptr);
  EXPECT_FALSE(options->allow_plaintext);
}

TEST(LinkOptions, RefuseATimeoutThatIsNotLongerThanTheInterval) {
  const auto refused = options_of({{"heartbeat.interval", "5s"}, {"heartbeat.timeout", "5s"}});
  EXPECT_EQ(refused.error().message(),
            "heartbeat.timeout is 5s and heartbeat.interval 5s: the interval is more than nothing, "
            "and less than the timeout");
  EXPECT_FALSE(options_of({{"heartbeat.interval", "0s"}}));
}

TEST(LinkOptions, NameTheFileThatTlsLacks) {
  const auto refused = options_of({{"security.ssl.internal.enabled", "true"}});
  EXPECT_THAT(refused.error().message(), HasSubstr("security.ssl.internal.cert names no file"));
}

class TlsLinkOptions : public testing::Test {
 protected:
  Result<LinkOptions> options_with(const TlsFiles& files) const {
    return options_of({{"security.ssl.internal.enabled", "true"},
                       {"security.ssl.internal.cert", files.certificate},
                       {"security.ssl.internal.key", files.key},
                       {"security.ssl.internal.ca", files.authority}});
  }

  const TestAuthority authority_{"ca"};
};

TEST_F(TlsLinkOptions, HaveTheFilesLoaded) {
  const auto options = options_with(authority_.issue("a", "URI:urn:millrace:role:host"));
  ASSERT_TRUE(options) << options.error().message();
  EXPECT_NE(options->tls, nullptr);
}

TEST_F(TlsLinkOptions, RefuseACertificateForSomethingElse) {
  const auto options = options_with(authority_.issue("a", "URI:urn:millrace:role:worker"));
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message(),
              AllOf(HasSubstr("a.crt' does not say that this process may be a host "),
                    HasSubstr("(security.ssl.internal.cert)"),
                    HasSubstr("alternative name URI:urn:millrace:role:host")));
}

}  // namespace
}  // namespace millrace::detail
