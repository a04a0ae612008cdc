#include "millrace/connectors/sockets/text_socket.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "connectors/drive.h"
#include "connectors/payment.h"

namespace millrace::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Listens on a port of the system's choice on the loopback interface.
class Server {
 public:
  Server() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 1);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Server() {
    hang_up();
    stop();
  }

  std::uint16_t port() const { return port_; }
  void stop() {
    if (listener_ >= 0) close(std::exchange(listener_, -1));
  }
  void accept_one() { client_ = accept(listener_, nullptr, nullptr); }
  void send_text(std::string_view text) {
    EXPECT_EQ(send(client_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (client_ >= 0) close(std::exchange(client_, -1));
  }
  // All that comes until the other side hangs up.
  std::string receive_all() {
    std::string all;
    char buffer[10'000];
    for (ssize_t got; (got = recv(client_, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  int listener_ = -1;
  int client_ = -1;
  std::uint16_t port_ = 0;
};

class TextSocket : public testing::Test {
 protected:
  SourceDrive<std::string> drive(TextSocketOptions options = {}) {
    return SourceDrive<std::string>(text_socket("127.0.0.1", server_.port(), options));
  }
  // Polls until there are so many records, or the source is at its end.
  static Poll::Kind poll_until(SourceDrive<std::string>& drive, std::size_t records) {
    for (int i = 0; i < 100'000; ++i) {
      Result<Poll> poll = drive.poll();
      EXPECT_TRUE(poll);
      if (!poll || poll->kind() == Poll::Kind::kEnd) return Poll::Kind::kEnd;
      if (drive.records().size() >= records) return poll->kind();
      ::poll(nullptr, 0, 1);
    }
    ADD_FAILURE() << "the lines do not come";
    return Poll::Kind::kEnd;
  }

  Server server_;
};

TEST_F(TextSocket, LinesComeAsTheServerSendsThem) {
  auto source = drive();
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(source.poll());
  server_.accept_one();
  server_.send_text("one\ntwo\r\nthr");
  EXPECT_EQ(poll_until(source, 2), Poll::Kind::kIdle);
  EXPECT_THAT(source.records(), ElementsAre("one", "two"));
  server_.send_text("ee\nrest");
  server_.hang_up();
  EXPECT_EQ(poll_until(source, 5), Poll::Kind::kEnd);
  EXPECT_THAT(source.records(), ElementsAre("one", "two", "three", "rest"));
}

TEST_F(TextSocket, TheLastLineHasNoReturnEither) {
  auto source = drive();
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(source.poll());
  server_.accept_one();
  server_.send_text("one\r\ntwo\r");
  server_.hang_up();
  EXPECT_EQ(poll_until(source, 3), Poll::Kind::kEnd);
  EXPECT_THAT(source.records(), ElementsAre("one", "two"));
}

TEST_F(TextSocket, NeverWaitsForLines) {
  auto source = drive();
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(source.poll());
  server_.accept_one();
  Result<Poll> poll = source.poll();
  ASSERT_TRUE(poll);
  EXPECT_EQ(poll->kind(), Poll::Kind::kIdle);
  EXPECT_THAT(source.records(), IsEmpty());
}

TEST_F(TextSocket, MoreLinesThanABatchComeInSeveral) {
  auto source = drive();
  ASSERT_TRUE(source.start());
  ASSERT_TRUE(source.poll());
  server_.accept_one();
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += std::to_string(i) + '\n';
  server_.send_text(text);
  server_.hang_up();
  EXPECT_EQ(poll_until(source, 4'000), Poll::Kind::kEnd);
  EXPECT_EQ(source.records().size(), 3'000);
  EXPECT_EQ(source.records().back(), "2999");
}

TEST_F(TextSocket, AServerThatRefusesIsTriedUntilTheTimeout) {
  server_.stop();
  auto source = drive({.connect_timeout = 1s});
  ASSERT_TRUE(source.start());
  for (int i = 0; i < 1'000; ++i) {
    Result<Poll> poll = source.poll();
    if (!poll) {
      EXPECT_THAT(poll.error().message(),
                  AllOf(HasSubstr("cannot connect to '127.0.0.1:" + std::to_string(server_.port())),
                        HasSubstr("Connection refused, after 1000 ms of trying")));
      EXPECT_EQ(poll.error().code(), ErrorCode::kUnavailable);
      return;
    }
    ASSERT_EQ(poll->kind(), Poll::Kind::kIdle);
    source.clock().advance(poll->pause());
  }
  FAIL() << "the source goes on trying";
}

TEST_F(TextSocket, AHostThatIsNotKnownIsAnError) {
  EXPECT_THAT(error_of(text_socket("no-such-host.invalid", 80)),
              HasSubstr("cannot connect to 'no-such-host.invalid:80': the host is not known"));
}

TEST_F(TextSocket, APortOutOfRangeIsAnError) {
  EXPECT_THAT(error_of(text_socket("localhost", 70'000)), HasSubstr("from 1 to 65535"));
}

TEST_F(TextSocket, IsUnboundedWithOneSubtask) {
  EXPECT_FALSE(text_socket("localhost", 1).bounded);
  EXPECT_TRUE(text_socket("localhost", 1).single);
}

TEST_F(TextSocket, ASinkSendsStringsAsTheyAre) {
  SinkDrive<std::string> sink(text_socket_sink("127.0.0.1", server_.port()).bind<std::string>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({"one", "two"}));
  ASSERT_TRUE(sink->flush());
  server_.accept_one();
  ASSERT_TRUE(sink.write({"three"}));
  ASSERT_TRUE(sink->close());
  EXPECT_EQ(server_.receive_all(), "one\ntwo\nthree\n");
}

TEST_F(TextSocket, ASinkSendsOtherRecordsAsJson) {
  SinkDrive<Payment> sink(text_socket_sink("127.0.0.1", server_.port()).bind<Payment>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->close());
  server_.accept_one();
  EXPECT_EQ(server_.receive_all(),
            "{\"account\":\"a\",\"cents\":1,\"at\":\"1970-01-01T00:00:00.000Z\"}\n");
}

TEST_F(TextSocket, AServerThatDoesNotReadIsAnErrorAfterTheTimeout) {
  SinkDrive<std::string> sink(
      text_socket_sink("127.0.0.1", server_.port(), {.send_timeout = 20ms}).bind<std::string>());
  ASSERT_TRUE(sink.open());
  Status status;
  for (int i = 0; status && i < 1'000; ++i) status = sink.write({std::string(100'000, 'x')});
  EXPECT_THAT(message_of(status), HasSubstr("has read nothing for 20 ms"));
}

// What was sent before the timeout is not sent again, and nothing follows half a line.
TEST_F(TextSocket, WhatWasSentBeforeAFailureIsNotSentAgain) {
  SinkDrive<std::string> sink(
      text_socket_sink("127.0.0.1", server_.port(), {.send_timeout = 20ms}).bind<std::string>());
  ASSERT_TRUE(sink.open());
  std::string expected;
  Status status;
  for (int i = 0; status && i < 1'000; ++i) {
    const std::string line = std::to_string(i) + std::string(100'000, 'x');
    expected += line + '\n';
    status = sink.write({line});
  }
  ASSERT_FALSE(status);
  server_.accept_one();
  std::string received;
  std::thread reader([&] { received = server_.receive_all(); });
  EXPECT_TRUE(sink->close());
  reader.join();
  EXPECT_FALSE(received.empty());
  EXPECT_TRUE(expected.starts_with(received));
}

TEST_F(TextSocket, AServerThatHangsUpIsAnErrorOfTheSink) {
  SinkDrive<std::string> sink(text_socket_sink("127.0.0.1", server_.port()).bind<std::string>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({"one"}));
  ASSERT_TRUE(sink->flush());
  server_.accept_one();
  server_.hang_up();
  Status status;
  for (int i = 0; status && i < 1'000; ++i) {
    status = sink.write({"more"});
    if (status) status = sink->flush();
  }
  EXPECT_THAT(message_of(status), HasSubstr("was lost"));
}

}  // namespace
}  // namespace millrace::test
