// A cluster whose processes speak TLS with each other.
#include <gmock/gmock.h>

#include "actors/links/tls_fixture.h"
#include "cluster/cluster_fixture.h"

namespace millrace::test_support {
namespace {

using testing::HasSubstr;

constexpr test::EventPattern kPattern{.seed = 12, .partitions = 4, .rounds = 100, .keys = 256};

class ClusterOverTls : public Cluster {
 protected:
  Words with(const detail::TlsFiles& files) const {
    return {"-D", "security.ssl.internal.enabled=true",
            "-D", concat("security.ssl.internal.cert=", files.certificate.native()),
            "-D", concat("security.ssl.internal.key=", files.key.native()),
            "-D", concat("security.ssl.internal.ca=", files.authority.native())};
  }

  detail::TestAuthority authority_{"authority"};
};

TEST_F(ClusterOverTls, GoesOnWhoeverIsKilled) {
  const detail::TlsFiles all =
      authority_.issue("all",
                       "URI:urn:millrace:role:coordinator,URI:urn:millrace:role:worker,"
                       "URI:urn:millrace:role:host");
  start(with(all));
  const std::string job = submit(kPattern, 4);
  wait_for(job, "checkpoint");
  kill_one("--host=");
  wait_for(job, "checkpoint");
  kill_one("--name=coordinator-1");
  start(with(all));
  wait_for(job, "finished");
  expect_exact(kPattern);
}

// Nobody would let it in, so it does not even begin.
TEST_F(ClusterOverTls, HasNobodyBeWhatItsCertificateDoesNotSay) {
  Words words = with(authority_.issue("only", "URI:urn:millrace:role:worker"));
  words.insert(words.begin(), {"coordinator", dir()});
  const Said coordinator = millrace(words);
  EXPECT_NE(coordinator.status, 0);
  EXPECT_THAT(coordinator.text, HasSubstr("does not say that this process may be a coordinator"));
  words.front() = "worker";
  const Said worker = millrace(words);
  EXPECT_NE(worker.status, 0);
  EXPECT_THAT(worker.text, HasSubstr("may be a host")) << "which it starts";
}

}  // namespace
}  // namespace millrace::test_support
