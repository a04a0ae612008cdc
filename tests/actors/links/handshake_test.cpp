#include "millrace/actors/links/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Hello a_hello(Role role = Role::kHost, std::string identity = "host-b") {
  return {.role = role,
          .cluster = "prod",
          .identity = std::move(identity),
          .incarnation = 5,
          .number = 6};
}

Frame frame_of(std::string_view bytes) {
  FrameReader reader(std::make_shared<BytePool>(), kMostHelloBytes);
  return **reader.next(bytes);
}
Frame frame_of(const Hello& hello) {
  std::string bytes;
  append_hello(hello, bytes);
  return frame_of(bytes);
}

Handshake handshake(Role self = Role::kHost, ExpectedPeer expected = {}) {
  return Handshake(Handshake::Side::kAccepted, a_hello(self, "host-a"), std::move(expected), 10s);
}

std::string refusal(const Handshake& handshake, const Hello& hello) {
  const Result<Hello> result = handshake.on_frame(frame_of(hello));
  return result ? "none" : result.error().message();
}

TEST(Handshake, TakesAGoodHello) {
  const Result<Hello> hello = handshake().on_frame(frame_of(a_hello()));
  ASSERT_TRUE(hello) << hello.error().message();
  EXPECT_EQ(*hello, a_hello());
}

TEST(Handshake, RefusesAnotherVersionBeforeAnythingElse) {
  std::string bytes;
  FrameWriter writer(FrameKind::kHello, bytes);
  bytes += "MILLRLNK";
  append_integer(bytes, std::uint32_t{2});
  bytes += "what a later version has here";
  ASSERT_TRUE(writer.finish());
  const Result<Hello> hello = handshake().on_frame(frame_of(bytes));
  EXPECT_EQ(hello.error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(hello.error().message(),
            "one end of the link speaks version 2 of the protocol and the other version 1; run the "
            "same release of Millrace on both");
}

TEST(Handshake, RefusesAnotherCluster) {
  Hello hello = a_hello();
  hello.cluster = "test";
  EXPECT_EQ(refusal(handshake(), hello),
            "the host 'host-b' of cluster 'test' has reached the host 'host-a' of cluster 'prod': "
            "they belong to different clusters");
}

TEST(Handshake, RefusesRolesThatHaveNoLink) {
  EXPECT_THAT(refusal(handshake(), a_hello(Role::kClient)),
              HasSubstr("a client has no link with a host"));
  EXPECT_EQ(refusal(handshake(Role::kCoordinator), a_hello(Role::kClient)), "none");
  EXPECT_EQ(refusal(handshake(Role::kCoordinator), a_hello(Role::kWorker)), "none");
  EXPECT_EQ(refusal(handshake(Role::kCoordinator), a_hello(Role::kHost)), "none");
  EXPECT_NE(refusal(handshake(Role::kWorker), a_hello(Role::kHost)), "none");
  EXPECT_NE(refusal(handshake(Role::kWorker), a_hello(Role::kWorker)), "none");
}

TEST(Handshake, RefusesWhomItDidNotExpect) {
  EXPECT_THAT(refusal(handshake(Role::kHost, {.role = Role::kWorker}), a_hello()),
              HasSubstr("expected a worker at this address, and found the host 'host-b'"));
  EXPECT_THAT(refusal(handshake(Role::kHost, {.identity = "host-c"}), a_hello()),
              HasSubstr("expected 'host-c' at this address, and found the host 'host-b'"));
  EXPECT_THAT(refusal(handshake(), a_hello(Role::kHost, "host-a")), HasSubstr("maybe itself"));
}

TEST(Handshake, RefusesARoleThatTheCertificateDoesNotName) {
  Handshake secured = handshake();
  secured.set_proved({Role::kClient});
  EXPECT_THAT(refusal(secured, a_hello()), HasSubstr("does not name the role host"));
  secured.set_proved({Role::kClient, Role::kHost});
  EXPECT_EQ(refusal(secured, a_hello()), "none");
}

TEST(Handshake, RefusesAnyOtherFrameAndBrokenHellos) {
  std::string data;
  ASSERT_TRUE(append_frame(FrameKind::kData, "x", data));
  EXPECT_THAT(handshake().on_frame(frame_of(data)).error().message(), HasSubstr("is no hello"));
  std::string bytes;
  append_hello(a_hello(), bytes);
  const std::string body = bytes.substr(kFrameHeaderBytes);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_hello(body.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_hello(body + "x"));
  std::string role = body;
  role[12] = 9;
  EXPECT_THAT(decode_hello(role).error().message(), HasSubstr("role 9"));
}

TEST(Handshake, IsOverdueAtItsDeadline) {
  EXPECT_FALSE(handshake().overdue(9s));
  EXPECT_TRUE(handshake().overdue(10s));
}

TEST(Goodbye, SurvivesARoundTripAndIsCut) {
  std::string bytes;
  append_goodbye({Goodbye::Cause::kSuperseded, unavailable("because")}, bytes);
  const Result<Goodbye> goodbye = decode_goodbye(frame_of(bytes).body());
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->cause, Goodbye::Cause::kSuperseded);
  EXPECT_EQ(goodbye->error, unavailable("because"));
  std::string long_one;
  append_goodbye({.error = unavailable(std::string(10'000, 'x'))}, long_one);
  EXPECT_EQ(decode_goodbye(frame_of(long_one).body())->error.message().size(), 2'048U);
}

TEST(Role, HasANameThatReadsBack) {
  EXPECT_EQ(to_string(Role::kCoordinator), "coordinator");
  EXPECT_EQ(role_named("client"), Role::kClient);
  EXPECT_EQ(role_named("king"), std::nullopt);
}

}  // namespace
}  // namespace millrace::detail
