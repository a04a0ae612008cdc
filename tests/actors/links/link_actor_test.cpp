// The links of real processes over loopback.
#include "millrace/actors/links/link_actor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "actors/links/link_fixture.h"
#include "actors/links/tls_fixture.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A plain connection to a port of this machine.
class PlainClient {
 public:
  PlainClient() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {}
  explicit PlainClient(std::uint16_t port) : PlainClient() { connected_ = connect(port); }

  bool connect(std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_.descriptor(), reinterpret_cast<const sockaddr*>(&address),
                     sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  void write(std::string_view bytes) const {
    (void)!::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Whether the other end closes the connection in time, whatever it says before.
  bool is_closed_within(std::chrono::milliseconds time) const {
    pollfd waiting{.fd = socket_.descriptor(), .events = POLLIN, .revents = 0};
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
      if (poll(&waiting, 1, 10) == 0) continue;
      char bytes[4'096];
      if (read(socket_.descriptor(), bytes, sizeof bytes) <= 0) return true;
    }
    return false;
  }

 private:
  Socket socket_;
  bool connected_ = false;
};

// As many descriptors as the process has, and no more, as long as it is there.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    (void)getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    (void)close(next);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next);
    (void)setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoMoreDescriptors() { (void)setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A process of its own (link_peer.cpp).
class PeerProcess {
 public:
  PeerProcess(const std::string& identity, std::chrono::milliseconds heartbeat) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      const std::string interval = std::to_string(heartbeat.count());
      execl(LINK_PEER, LINK_PEER, identity.c_str(), interval.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    FILE* said = fdopen(ends[0], "r");
    int port = 0;
    EXPECT_EQ(std::fscanf(said, "%d", &port), 1);
    std::fclose(said);
    port_ = static_cast<std::uint16_t>(port);
  }
  ~PeerProcess() {
    kill(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  std::uint16_t port() const { return port_; }
  void kill(int signal) const { ::kill(pid_, signal); }

 private:
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

// Two processes in this one, with a link.
struct Pair {
  explicit Pair(LinkLimits limits = {}) : a("host-a", limits), b("host-b", limits) {
    port = b.listen();
    a.connect(port, {.role = Role::kHost, .identity = "host-b"});
    at_a = a.next<LinkUp>().value().link;
    at_b = b.next<LinkUp>().value().link;
  }

  // A receiver of frames at b, which is there when this returns.
  void open_receiver(SubtaskId subtask) {
    b.send(OpenReceiver{kAttempt, {subtask}, b.observer()});
    settle();
  }
  // Until b has done all that it was asked for: the last is to say that there is a link.
  void settle() {
    b.connect(0, {.identity = "host-a"});
    EXPECT_TRUE(b.next<LinkUp>());
  }

  static constexpr JobAttempt kAttempt{JobId(1), AttemptId(1)};

  LinkProcess a;
  LinkProcess b;
  std::uint16_t port;
  LinkId at_a;
  LinkId at_b;
};

std::string body_to(SubtaskId subtask, std::string_view payload, AttemptId attempt = AttemptId(1)) {
  std::string body;
  append(ChannelHeader{.job = JobId(1), .attempt = attempt, .to = subtask}, body);
  body += payload;
  return body;
}

TEST(LinkActor, CarriesControlFramesInOrderBothWays) {
  Pair pair;
  for (int i = 0; i < 1'000; ++i) {
    pair.a.send_frame(pair.at_a, FrameKind::kControl, "a" + std::to_string(i));
    pair.b.send_frame(pair.at_b, FrameKind::kControl, "b" + std::to_string(i));
  }
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(pair.b.next<ControlArrived>()->frame.body(), "a" + std::to_string(i));
    ASSERT_EQ(pair.a.next<ControlArrived>()->frame.body(), "b" + std::to_string(i));
  }
}

TEST(LinkActor, CarriesTheLargestFrame) {
  Pair pair;
  const std::string body(kMostFrameBytes - 1, 'x');
  pair.a.send_frame(pair.at_a, FrameKind::kControl, body);
  const auto arrived = pair.b.next<ControlArrived>();
  ASSERT_TRUE(arrived);
  EXPECT_TRUE(arrived->frame.body() == body);
}

TEST(LinkActor, GivesDataAndCreditToTheReceiverOfTheSubtask) {
  Pair pair;
  pair.open_receiver(SubtaskId(3));
  pair.a.send_frame(pair.at_a, FrameKind::kData, body_to(SubtaskId(3), "data"));
  pair.a.send_frame(pair.at_a, FrameKind::kCredit, body_to(SubtaskId(3), "credit"));
  const auto data = pair.b.next<FrameArrived>();
  ASSERT_TRUE(data);
  EXPECT_EQ(data->frame.kind(), FrameKind::kData);
  EXPECT_EQ(data->frame.body().substr(kChannelHeaderBytes), "data");
  EXPECT_EQ(pair.b.next<FrameArrived>()->frame.kind(), FrameKind::kCredit);
}

TEST(LinkActor, GivesSplitsToTheirOwnInbox) {
  Pair pair;
  pair.open_receiver(SubtaskId(3));
  pair.b.send(OpenReceiver{Pair::kAttempt, {SubtaskId(4), true}, pair.b.observer()});
  pair.settle();
  pair.a.send_frame(pair.at_a, FrameKind::kSplit, body_to(SubtaskId(4), "split"));
  const auto arrived = pair.b.next<FrameArrived>();
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->frame.kind(), FrameKind::kSplit);
  pair.a.send_frame(pair.at_a, FrameKind::kData, body_to(SubtaskId(4), "data"));
  EXPECT_THAT(pair.b.next<LinkDown>()->error.message(), HasSubstr("no receiver for job 1"));
}

TEST(LinkActor, SaysWhenThereIsRoomAgainForThoseWhoWait) {
  LinkProcess a("host-a", {.congested_bytes = 1'000'000});
  LinkProcess b("host-b");
  a.connect(b.listen());
  const auto up = a.next<LinkUp>();
  ASSERT_TRUE(up && up->load);
  std::string frame;
  ASSERT_TRUE(append_frame(FrameKind::kControl, std::string(3'000'000, 'x'), frame));
  up->load->add(frame.size());
  EXPECT_TRUE(up->load->must_wait());
  a.send(SendFrame{up->link, frame, true});
  EXPECT_EQ(a.next<LinkRelieved>()->link, up->link);
  EXPECT_FALSE(up->load->must_wait());
  EXPECT_TRUE(b.next<ControlArrived>());
}

TEST(LinkActor, ConfirmsReceivers) {
  LinkProcess process("host-a");
  process.send(ConfirmReceivers{Pair::kAttempt});
  EXPECT_EQ(process.next<ReceiversConfirmed>()->attempt, Pair::kAttempt);
}

TEST(LinkActor, DropsFramesOfAnEndedAttemptAndGoesOn) {
  Pair pair;
  pair.open_receiver(SubtaskId(3));
  pair.b.send(CloseAttempt{Pair::kAttempt});
  pair.settle();
  pair.a.send_frame(pair.at_a, FrameKind::kData, body_to(SubtaskId(3), "late"));
  pair.a.send_frame(pair.at_a, FrameKind::kControl, "after it");
  ASSERT_TRUE(pair.b.next<ControlArrived>());
  EXPECT_EQ(pair.b.metrics().frames_of_ended_attempts, 1U);
}

TEST(LinkActor, ClosesTheLinkOnAFrameForAReceiverThatALiveAttemptLacks) {
  Pair pair;
  pair.open_receiver(SubtaskId(3));
  pair.a.send_frame(pair.at_a, FrameKind::kData, body_to(SubtaskId(4), "?"));
  EXPECT_THAT(pair.b.next<LinkDown>()->error.message(), HasSubstr("no receiver for job 1"));
  EXPECT_THAT(pair.a.next<LinkDown>()->error.message(),
              HasSubstr("the other end closed the link: 'host-b' has no receiver for job 1"));
}

TEST(LinkActor, TellsBothOwnersWhyAReceiverClosedTheLink) {
  Pair pair;
  pair.b.send(CloseLink{pair.at_b, corruption("frames are missing")});
  EXPECT_EQ(pair.b.next<LinkDown>()->error, corruption("frames are missing"));
  const auto down = pair.a.next<LinkDown>();
  ASSERT_TRUE(down);
  EXPECT_EQ(down->error.code(), ErrorCode::kCorruption);
  EXPECT_EQ(down->identity, "host-b");
}

TEST(LinkActor, GetsAFreshLinkWhenItConnectsAgainAndSendsNothingOfTheOldOne) {
  Pair pair;
  pair.b.send(CloseLink{pair.at_b, cancelled("a pause")});
  ASSERT_TRUE(pair.a.next<LinkDown>());
  ASSERT_TRUE(pair.b.next<LinkDown>());
  pair.a.connect(pair.port, {.identity = "host-b"});
  const auto up = pair.a.next<LinkUp>();
  ASSERT_TRUE(up);
  EXPECT_NE(up->link, pair.at_a);
  pair.a.send_frame(pair.at_a, FrameKind::kControl, "of the old link");
  pair.a.send_frame(up->link, FrameKind::kControl, "of the new link");
  EXPECT_EQ(pair.b.next<ControlArrived>()->frame.body(), "of the new link");
  EXPECT_EQ(pair.a.metrics().frames_without_link, 1U);
}

TEST(LinkActor, KeepsOneLinkWhenBothEndsConnect) {
  for (int i = 0; i < 20; ++i) {
    LinkProcess a("host-a");
    LinkProcess b("host-b");
    const std::uint16_t port_of_a = a.listen();
    const std::uint16_t port_of_b = b.listen();
    a.connect(port_of_b, {.identity = "host-b"});
    b.connect(port_of_a, {.identity = "host-a"});
    const auto at_a = a.next<LinkUp>();
    const auto at_b = b.next<LinkUp>();
    ASSERT_TRUE(at_a && at_b);
    a.send_frame(at_a->link, FrameKind::kControl, "to b");
    b.send_frame(at_b->link, FrameKind::kControl, "to a");
    EXPECT_TRUE(b.next<ControlArrived>());
    EXPECT_TRUE(a.next<ControlArrived>());
    EXPECT_FALSE(a.next<LinkDown>(0ms));
    EXPECT_FALSE(a.next<ConnectFailed>(0ms));
    EXPECT_FALSE(b.next<ConnectFailed>(0ms));
  }
}

TEST(LinkActor, CarriesProgressInHeartbeats) {
  Pair pair({.heartbeat = {.interval = 20ms, .timeout = 10s}});
  pair.a.send(SetProgress{"so far"});
  const auto progress = pair.b.next<ProgressArrived>();
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->frame.body(), "so far");
}

TEST(LinkActor, RefusesAnotherClusterOnBothSides) {
  LinkProcess a("host-a");
  LinkProcess b("host-b", {}, {.cluster = "other"});
  a.connect(b.listen());
  const auto failed = a.next<ConnectFailed>();
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->error.message(), HasSubstr("they belong to different clusters"));
  EXPECT_EQ(b.metrics().refused_connections, 1U);
}

TEST(LinkActor, SaysWhyAConnectionCouldNotBeMade) {
  LinkProcess a("host-a");
  std::uint16_t port = 0;
  {
    Result<Listener> listener = listen_on({"127.0.0.1", 0});
    ASSERT_TRUE(listener);
    port = listener->port;
  }
  a.connect(port);
  EXPECT_THAT(a.next<ConnectFailed>()->error.message(), HasSubstr("Connection refused"));
  a.send(ConnectLink{{"no.such.host.invalid", 1}, {}});
  EXPECT_THAT(a.next<ConnectFailed>()->error.message(), HasSubstr("looking up"));
}

TEST(LinkActor, SaysWhyItCannotListen) {
  LinkProcess a("host-a");
  LinkProcess b("host-b");
  const std::uint16_t port = a.listen();
  b.send(Listen{{"127.0.0.1", port}});
  EXPECT_THAT(b.next<Listening>()->address.error().message(), HasSubstr("Address already in use"));
}

// Its backlog is full, so it answers nothing.
TEST(LinkActor, TakesConnectionsAgainWhenThereAreDescriptors) {
  LinkProcess a("a");
  const std::uint16_t port = a.listen();
  const PlainClient client;
  {
    const NoMoreDescriptors none;
    ASSERT_TRUE(client.connect(port));
    std::this_thread::sleep_for(100ms);
  }
  LinkProcess b("b");
  b.connect(port);
  EXPECT_TRUE(b.next<LinkUp>()) << "nobody listens there any more";
}

TEST(LinkActor, WaitsForASilentHostWithoutHoldingUpOthers) {
  const Result<Listener> silent = listen_on({"127.0.0.1", 0});
  ASSERT_TRUE(silent);
  ASSERT_EQ(::listen(silent->socket.descriptor(), 0), 0);
  const PlainClient filler(silent->port);
  LinkProcess a("host-a", {.handshake = 500ms});
  LinkProcess b("host-b");
  for (int i = 0; i < 10; ++i) a.connect(silent->port, {.identity = "silent-" + std::to_string(i)});
  a.connect(b.listen(), {.identity = "host-b"});
  EXPECT_TRUE(a.next<LinkUp>());
  EXPECT_THAT(a.next<ConnectFailed>()->error.message(),
              HasSubstr("has not completed the handshake within"));
}

// It would wait for the rest otherwise.
TEST(LinkActor, TakesNoLongFrameFromWhoeverHasNotSaidHello) {
  const Pair pair({.handshake = 60s});
  const PlainClient client(pair.port);
  std::string header(kFrameHeaderBytes, '\0');
  const std::uint32_t length = kMostHelloBytes + 1;
  std::memcpy(header.data(), &length, sizeof length);
  header.back() = static_cast<char>(FrameKind::kHello);
  client.write(header);
  EXPECT_TRUE(client.is_closed_within(10s));
}

TEST(LinkActor, ClosesConnectionsThatSendGarbage) {
  Pair pair({.handshake = 500ms});
  std::string hello;
  append_hello({.cluster = "test", .identity = "x"}, hello);
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string(64, '\0'),
        std::string(64, '\xff'), std::string("\x10\x00\x00\x00garbage of that length", 26),
        std::string(3, 'x'), hello.substr(0, 12), std::string()}) {
    const PlainClient client(pair.port);
    ASSERT_TRUE(client.connected());
    client.write(garbage);
    EXPECT_TRUE(client.is_closed_within(10s)) << garbage;
  }
  pair.a.send_frame(pair.at_a, FrameKind::kControl, "still there");
  EXPECT_TRUE(pair.b.next<ControlArrived>());
}

TEST(LinkActor, BoundsConnectionsThatSayNothing) {
  Pair pair({.handshake = 60s, .most_unknown = 4});
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<PlainClient>(pair.port));
  std::size_t closed = 0;
  for (const auto& client : clients) closed += client->is_closed_within(200ms);
  EXPECT_EQ(closed, 16U);
}

std::shared_ptr<const TlsContext> tls(const TlsFiles& files) { return *TlsContext::load(files); }

TEST(LinkActor, ListensBeyondLoopbackWithTlsOnly) {
  const TestAuthority authority("ca");
  LinkProcess plain("host-a");
  plain.send(Listen{{"0.0.0.0", 0}});
  EXPECT_THAT(plain.next<Listening>()->address.error().message(),
              HasSubstr("beyond loopback links need TLS"));
  LinkProcess secured("host-b", {}, {}, tls(authority.issue("b", "URI:urn:millrace:role:host")));
  secured.send(Listen{{"192.0.2.1", 0}});  // no machine's, by RFC 5737
  EXPECT_THAT(secured.next<Listening>()->address.error().message(),
              HasSubstr("Cannot assign requested address"));
}

TEST(LinkActor, ListensAtAnAddressThatOthersCanUse) {
  const TestAuthority authority("ca");
  LinkProcess process("host", {}, {}, tls(authority.issue("b", "URI:urn:millrace:role:host")));
  for (const char* everywhere : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    process.send(Listen{{everywhere, 0}});
    EXPECT_THAT(process.next<Listening>()->address.error().message(),
                AllOf(HasSubstr(everywhere), HasSubstr("every address of this machine"),
                      HasSubstr("jobmanager.bind-host")));
  }
  process.send(Listen{{"machine.example", 0}});
  EXPECT_THAT(process.next<Listening>()->address.error().message(),
              AllOf(HasSubstr("machine.example"), HasSubstr("it is no IP address")));
}

TEST(LinkActor, CarriesFramesUnderTls) {
  const TestAuthority authority("ca");
  LinkProcess a("host-a", {}, {}, tls(authority.issue("a", "URI:urn:millrace:role:host")));
  LinkProcess b("host-b", {}, {}, tls(authority.issue("b", "URI:urn:millrace:role:host")));
  a.connect(b.listen());
  const LinkId at_a = a.next<LinkUp>().value().link;
  const LinkId at_b = b.next<LinkUp>().value().link;
  const std::string much(3'000'000, 'x');
  for (int i = 0; i < 5; ++i) {
    a.send_frame(at_a, FrameKind::kControl, much + std::to_string(i));
    b.send_frame(at_b, FrameKind::kControl, std::to_string(i));
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(b.next<ControlArrived>()->frame.body() == much + std::to_string(i));
    EXPECT_EQ(a.next<ControlArrived>()->frame.body(), std::to_string(i));
  }
}

TEST(LinkActor, RefusesARoleThatTheCertificateDoesNotNameOnBothSides) {
  const TestAuthority authority("ca");
  LinkProcess a("host-a", {}, {}, tls(authority.issue("a", "URI:urn:millrace:role:client")));
  LinkProcess b("host-b", {}, {}, tls(authority.issue("b", "URI:urn:millrace:role:host")));
  a.connect(b.listen());
  EXPECT_THAT(a.next<ConnectFailed>()->error.message(), HasSubstr("does not name the role host"));
  EXPECT_FALSE(b.next<LinkUp>(0ms));
}

TEST(LinkActor, RefusesACertificateOfAnotherAuthorityOnBothSides) {
  const TestAuthority authority("ca");
  const TestAuthority other("other");
  TlsFiles files = other.issue("a", "URI:urn:millrace:role:host");
  files.authority = authority.file();
  LinkProcess a("host-a", {}, {}, tls(files));
  LinkProcess b("host-b", {}, {}, tls(authority.issue("b", "URI:urn:millrace:role:host")));
  a.connect(b.listen());
  EXPECT_THAT(a.next<ConnectFailed>()->error.message(), HasSubstr("unknown ca"));
  EXPECT_EQ(b.metrics().refused_connections, 1U);
}

TEST(LinkActor, FailsWhereOneEndSpeaksTlsAndTheOtherDoesNot) {
  const TestAuthority authority("ca");
  LinkProcess secured("host-a", {}, {}, tls(authority.issue("a", "URI:urn:millrace:role:host")));
  LinkProcess plain("host-b");
  plain.connect(secured.listen());
  EXPECT_TRUE(plain.next<ConnectFailed>());
  EXPECT_EQ(secured.metrics().refused_connections, 1U);
  secured.connect(plain.listen());
  EXPECT_THAT(secured.next<ConnectFailed>()->error.message(), HasSubstr("does it speak TLS?"));
  EXPECT_EQ(plain.metrics().refused_connections, 1U);
}

TEST(LinkActor, TalksWithAnotherProcess) {
  const PeerProcess peer("host-b", 100ms);
  LinkProcess a("host-a", {.heartbeat = {.interval = 100ms, .timeout = 5s}});
  a.connect(peer.port());
  const LinkId link = a.next<LinkUp>().value().link;
  for (int i = 0; i < 100; ++i) {
    a.send_frame(link, FrameKind::kControl, std::string(10'000, 'x') + std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(a.next<ControlArrived>()->frame.body().substr(10'000), std::to_string(i));
  }
}

TEST(LinkActor, FindsAKilledPeerAtOnce) {
  const PeerProcess peer("host-b", 2'000ms);
  LinkProcess a("host-a", {.heartbeat = {.interval = 60s, .timeout = 600s}});
  a.connect(peer.port());
  ASSERT_TRUE(a.next<LinkUp>());
  peer.kill(SIGKILL);
  EXPECT_THAT(a.next<LinkDown>()->error.message(),
              HasSubstr("the other end closed the connection"));
}

TEST(LinkActor, FindsAStoppedPeerWithinTheHeartbeatTimeout) {
  const PeerProcess peer("host-b", 100ms);
  LinkProcess a("host-a", {.heartbeat = {.interval = 100ms, .timeout = 1s}});
  a.connect(peer.port());
  const LinkId link = a.next<LinkUp>().value().link;
  peer.kill(SIGSTOP);
  const auto stopped = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {  // more than the sockets hold
    a.send_frame(link, FrameKind::kControl, std::string(1'000'000, 'x'));
  }
  const auto down = a.next<LinkDown>();
  const auto taken = std::chrono::steady_clock::now() - stopped;
  ASSERT_TRUE(down);
  EXPECT_THAT(down->error.message(), HasSubstr("has been silent for"));
  EXPECT_GE(taken, 800ms);
  EXPECT_LE(taken, 10s);  // about 1 s; the rest is for machines that stand still at times
  peer.kill(SIGCONT);
  a.connect(peer.port());
  const auto again = a.next<LinkUp>();
  ASSERT_TRUE(again);
  EXPECT_NE(again->link, link);
}

TEST(LinkActor, ReportsCongestionAndClosesALinkThatHoldsTooMuch) {
  const PeerProcess peer("host-b", 2'000ms);
  LinkProcess a("host-a", {.congested_bytes = 8'000'000, .most_bytes = 40'000'000});
  a.connect(peer.port());
  const LinkId link = a.next<LinkUp>().value().link;
  peer.kill(SIGSTOP);
  for (int i = 0; i < 60; ++i) {
    a.send_frame(link, FrameKind::kControl, std::string(1'000'000, 'x'));
  }
  EXPECT_TRUE(a.next<LinkCongested>().value().congested);
  EXPECT_EQ(a.next<LinkDown>()->error.code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace millrace::detail
