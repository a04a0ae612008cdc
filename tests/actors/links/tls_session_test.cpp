#include "millrace/actors/links/tls_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/links/tls_fixture.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

constexpr const char* kHost = "URI:urn:millrace:role:host";

std::shared_ptr<const TlsContext> context(const TlsFiles& files) {
  Result<std::shared_ptr<const TlsContext>> loaded = TlsContext::load(files);
  EXPECT_TRUE(loaded) << loaded.error().message();
  return loaded ? *loaded : nullptr;
}

// Two ends, with the bytes between them.
struct Ends {
  Ends(const TlsFiles& client_files, const TlsFiles& server_files)
      : client(context(client_files), Handshake::Side::kConnected),
        server(context(server_files), Handshake::Side::kAccepted) {}

  // Carries bytes to and fro until there are none.
  void run() {
    for (;;) {
      std::string to_server;
      std::string to_client;
      client.take_output(to_server);
      server.take_output(to_client);
      if (to_server.empty() && to_client.empty()) return;
      if (!to_server.empty() && at_server) at_server = server.receive(to_server, said_to_server);
      if (!to_client.empty() && at_client) at_client = client.receive(to_client, said_to_client);
    }
  }

  TlsSession client;
  TlsSession server;
  Status at_client;
  Status at_server;
  std::string said_to_client;
  std::string said_to_server;
};

TEST(TlsSession, CarriesWhatWasSentBeforeAndAfterTheHandshake) {
  const TestAuthority authority("ca");
  Ends ends(authority.issue("a", kHost), authority.issue("b", kHost));
  ASSERT_TRUE(ends.client.send("before"));
  ends.run();
  ASSERT_TRUE(ends.at_client && ends.at_server);
  EXPECT_TRUE(ends.client.established() && ends.server.established());
  EXPECT_EQ(ends.said_to_server, "before");
  const std::string much(1'000'000, 'x');
  ASSERT_TRUE(ends.server.send(much));
  ends.run();
  EXPECT_TRUE(ends.said_to_client == much);
}

TEST(TlsSession, TellsTheRolesOfTheOtherEnd) {
  const TestAuthority authority("ca");
  Ends ends(authority.issue("a", "URI:urn:millrace:role:worker,URI:urn:millrace:role:host"),
            authority.issue("b", "DNS:localhost,URI:urn:millrace:role:king"));
  ends.run();
  EXPECT_EQ(ends.server.peer_roles(), (std::set{Role::kWorker, Role::kHost}));
  EXPECT_EQ(ends.client.peer_roles(), std::set<Role>());
}

TEST(TlsSession, RefusesACertificateOfAnotherAuthorityAndSaysSo) {
  const TestAuthority authority("ca");
  const TestAuthority other("other");
  Ends ends(other.issue("a", kHost), authority.issue("b", kHost));
  ends.run();
  ASSERT_FALSE(ends.at_client);
  EXPECT_THAT(ends.at_client.error().message(), HasSubstr("certificate is refused"));
  ASSERT_FALSE(ends.at_server);
  EXPECT_THAT(ends.at_server.error().message(), HasSubstr("unknown ca"));
}

TEST(TlsSession, RefusesAClientOfAnotherAuthority) {
  const TestAuthority authority("ca");
  const TestAuthority other("other");
  TlsFiles files = other.issue("a", kHost);
  files.authority = authority.file();
  Ends ends(files, authority.issue("b", kHost));
  ends.run();
  ASSERT_FALSE(ends.at_server);
  EXPECT_THAT(ends.at_server.error().message(), HasSubstr("certificate is refused"));
  ASSERT_FALSE(ends.at_client);
  EXPECT_THAT(ends.at_client.error().message(), HasSubstr("unknown ca"));
  EXPECT_EQ(ends.said_to_server, "");
}

TEST(TlsSession, RefusesACertificateThatIsNotInForce) {
  const TestAuthority authority("ca");
  Ends ends(authority.issue("a", kHost, 1'000, 2'000), authority.issue("b", kHost));
  ends.run();
  ASSERT_FALSE(ends.at_server);
  EXPECT_THAT(ends.at_server.error().message(), HasSubstr("not yet valid"));
}

TEST(TlsSession, KnowsPlainTextAndHttp) {
  const TestAuthority authority("ca");
  for (const char* said : {"GET / HTTP/1.1\r\n\r\n", "any bytes that are no TLS"}) {
    TlsSession server(context(authority.issue("b", kHost)), Handshake::Side::kAccepted);
    std::string plain;
    const Status received = server.receive(said, plain);
    ASSERT_FALSE(received);
    EXPECT_THAT(received.error().message(), HasSubstr("the other end speaks no TLS"));
  }
}

TEST(TlsContext, SaysWhichFileIsWrong) {
  const TestAuthority authority("ca");
  const auto error = [](const TlsFiles& files) {
    return TlsContext::load(files).error().message();
  };
  const TlsFiles good = authority.issue("a", kHost);
  const TlsFiles other = authority.issue("b", kHost);
  EXPECT_THAT(error({"/none.crt", good.key, good.authority}), HasSubstr("/none.crt"));
  EXPECT_THAT(error({good.certificate, good.key, "/none.pem"}), HasSubstr("/none.pem"));
  EXPECT_THAT(error({good.certificate, other.key, good.authority}), HasSubstr("b.key"));
  EXPECT_THAT(error(authority.issue("c", kHost, -2'000, -1'000)),
              HasSubstr("the certificate has expired"));
}

}  // namespace
}  // namespace millrace::detail
