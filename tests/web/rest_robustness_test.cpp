// Clients that are broken, slow, many or none at all.
#include <gmock/gmock.h>
#include <httplib.h>

#include <random>
#include <thread>

#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "web/rest_fixture.h"

namespace millrace {
namespace {

using test_support::RawClient;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n";

class RestRobustnessTest : public test_support::RestTest {
 protected:
  std::string say(std::string_view bytes) {
    RawClient client(server_->port());
    client.send(bytes);
    client.end();
    return client.read_all();
  }

  // The server answers as it should, soon.
  void expect_well(std::string_view after) {
    RawClient client(server_->port());
    client.send(concat("GET /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 200 ")) << "after " << after;
  }
};

TEST_F(RestRobustnessTest, RefusesBytesThatAreNoHttp) {
  EXPECT_THAT(say("\x16\x03\x01\x02\x01"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("this port speaks HTTP")));
  EXPECT_THAT(say("HELLO\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("this is no HTTP request")));
  EXPECT_THAT(say("GET /jobs HTTP/9.9\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(say("BREW /jobs HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  expect_well("what is no HTTP");
}

TEST_F(RestRobustnessTest, SurvivesRandomBytes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % 3'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (round % 2 == 0) bytes = "POST /jobs/a/stop HTTP/1.1\r\n" + bytes + "\r\n\r\n" + bytes;
    RawClient client(server_->port());
    client.send(bytes);
    client.end();
  }
  expect_well("garbage");
}

TEST_F(RestRobustnessTest, RefusesAHeadThatDoesNotEnd) {
  EXPECT_THAT(say("GET /" + std::string(20'000, 'a')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(say("GET /jobs HTTP/1.1\r\nA: " + std::string(20'000, 'a')),
              AllOf(StartsWith("HTTP/1.1 431 "), HasSubstr("the most are 16384 bytes")));
  EXPECT_THAT(say("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 414 "), HasSubstr("too long")));
  expect_well("long heads");
}

TEST_F(RestRobustnessTest, RefusesABodyThatIsTooLarge) {
  RawClient client(server_->port());
  client.send(
      "POST /jobs/a/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 413 "),
                                       HasSubstr("has 99999999999 bytes, and the most are"),
                                       HasSubstr("Connection: close")));
}

TEST_F(RestRobustnessTest, WantsToKnowTheSizeOfABody) {
  for (const char* header :
       {"Transfer-Encoding: chunked", "Content-Length: many", "Content-Length: -1",
        "Content-Length: 99999999999999999999999", "Content-Length: 1\r\nContent-Length: 2"}) {
    EXPECT_THAT(say(concat("POST /jobs/a/stop HTTP/1.1\r\n", header, "\r\n\r\n0\r\n\r\n")),
                AllOf(StartsWith("HTTP/1.1 411 "), HasSubstr("expected one header Content-Length")))
        << header;
  }
}

TEST_F(RestRobustnessTest, SaysThatABodyIsNotWhole) {
  EXPECT_THAT(say("POST /jobs/a/stop HTTP/1.1\r\nContent-Length: 50\r\n\r\n{\"drain\":"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("ended after 9 of 50 bytes")));
  const std::string path = "/artifacts/" + std::string(64, 'a');
  EXPECT_THAT(say(concat("PUT ", path, " HTTP/1.1\r\nContent-Length: 5000000\r\n\r\nabc")),
              HasSubstr("ended after 3 of 5000000 bytes"));
  expect_well("half a body");
}

TEST_F(RestRobustnessTest, DropsHalfARequest) {
  EXPECT_THAT(say("GET /jobs HT"), IsEmpty());
  EXPECT_THAT(say(""), IsEmpty());
  expect_well("half a request");
}

TEST_F(RestRobustnessTest, AnswersRequestsOfOneConnectionInTheirOrder) {
  RawClient client(server_->port());
  client.send(concat(kGet, "GET /leader HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  const std::string answers = client.read_all();
  EXPECT_THAT(answers, HasSubstr(R"({"jobs":[]})"));
  EXPECT_THAT(answers.substr(answers.find("jobs")), HasSubstr(R"({"here":true)"));
}

// What it leaves unread would be taken for the next request.
TEST_F(RestRobustnessTest, TakesNoBodyForARequest) {
  const std::string answers =
      say(concat("POST /overview HTTP/1.1\r\nContent-Length: ", kGet.size(), "\r\n\r\n", kGet));
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 405 "));
  EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos);
}

TEST_F(RestRobustnessTest, AsksForABodyThatWaitsToBeAskedFor) {
  RawClient client(server_->port());
  client.send(
      "POST /jobs/a/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\nConnection: close\r\n\r\n");
  client.send("{}");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 100 "), HasSubstr("HTTP/1.1 404 ")));
}

TEST_F(RestRobustnessTest, AnswersFiftyRequestsAtOnce) {
  std::atomic<int> well{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&] {
      httplib::Client client("127.0.0.1", server_->port());
      client.set_keep_alive(true);
      for (int request = 0; request < 10; ++request) {
        const httplib::Result result = client.Get("/overview");
        if (result && result->status == 200) ++well;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(well, 500);
}

TEST_F(RestRobustnessTest, IsNotHeldUpBySlowClients) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<RawClient>(server_->port()));
    slow.back()->send(i % 2 == 0 ? "GET /jo" : "");
  }
  const auto begun = std::chrono::steady_clock::now();
  expect_well("slow clients");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);  // less than the patience with one
}

TEST_F(RestRobustnessTest, GivesUpAClientThatIsTooSlow) {
  start({.patience = 300ms, .idle = 300ms});
  RawClient part(server_->port());
  part.send("GET /jo");
  EXPECT_THAT(part.read_all(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("within 300ms")));
  RawClient body(server_->port());
  body.send("POST /jobs/a/stop HTTP/1.1\r\nContent-Length: 50\r\n\r\n{");
  EXPECT_THAT(body.read_all(), HasSubstr("came too slowly, or was broken off, after 1 of 50"));
  RawClient silent(server_->port());
  EXPECT_THAT(silent.read_all(), IsEmpty());
}

TEST_F(RestRobustnessTest, RefusesConnectionsBeyondItsBound) {
  start({.connections = 3});
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(std::make_unique<RawClient>(server_->port()));
    idle.back()->send(kGet);
    EXPECT_THAT(idle.back()->read_all(200ms), StartsWith("HTTP/1.1 200 "));
  }
  RawClient more(server_->port());
  EXPECT_THAT(more.read_all(),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("there are already 3 connections")));
  idle.clear();
  std::this_thread::sleep_for(500ms);  // it sees that they have gone
  expect_well("the others have gone");
}

TEST_F(RestRobustnessTest, EndsWhileClientsAreConnected) {
  RawClient idle(server_->port());
  RawClient part(server_->port());
  RawClient body(server_->port());
  idle.send(kGet);
  part.send("GET /jo");
  body.send("POST /jobs/a/stop HTTP/1.1\r\nContent-Length: 50\r\n\r\n{");
  EXPECT_THAT(idle.read_all(200ms), StartsWith("HTTP/1.1 200 "));
  const std::uint16_t port = server_->port();
  const auto begun = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_FALSE(RawClient(port).connected());
  start({.port = port});  // at once
  expect_well("it was started again");
}

std::string refusal(const detail::HttpServerOptions& options) {
  test::MemoryClusterControl control;
  const auto server = detail::RestServer::start(control, options, Logger());
  return server ? "none" : server.error().message();
}

TEST_F(RestRobustnessTest, SaysThatAPortIsTaken) {
  const std::string error = refusal({.port = server_->port()});
  EXPECT_THAT(error, AllOf(HasSubstr(concat("port ", server_->port(), ": Address already in use")),
                           HasSubstr("rest.port")));
}

TEST(RestServer, RefusesToBeReachedFromOtherMachines) {
  for (const char* address : {"192.168.1.1", "2001:db8::1"}) {
    EXPECT_THAT(refusal({.address = address}),
                AllOf(HasSubstr(address), HasSubstr("there is no TLS"),
                      HasSubstr("security.allow-plaintext")))
        << address;
    EXPECT_THAT(refusal({.address = address, .beyond_loopback = true}),
                HasSubstr("cannot listen for HTTP"))
        << "no address of this machine";
  }
  for (const char* address : {"0.0.0.0", "::"}) {
    EXPECT_THAT(refusal({.address = address, .beyond_loopback = true}),
                AllOf(HasSubstr(address), HasSubstr("at which others reach it")))
        << address;
  }
  EXPECT_THAT(refusal({.address = "millrace.example"}), HasSubstr("is no IP address"));
}

TEST(RestServer, TellsItsAddress) {
  test::MemoryClusterControl control;
  for (const auto& [bound, begin] :
       std::vector<std::pair<std::string, std::string>>{{"127.0.0.1", "http://127.0.0.1:"},
                                                        {"localhost", "http://localhost:"},
                                                        {"127.0.0.2", "http://127.0.0.2:"},
                                                        {"::1", "http://[::1]:"}}) {
    auto server = detail::RestServer::start(control, {.address = bound}, Logger());
    if (!server && bound == "::1") continue;  // a machine without IPv6
    ASSERT_TRUE(server) << server.error().message();
    EXPECT_EQ((*server)->address(), concat(begin, (*server)->port()));
  }
}

TEST(RestServer, TakesItsPlaceFromTheConfiguration) {
  const detail::HttpServerOptions options = detail::rest_server_options({});
  EXPECT_EQ(options.address, "127.0.0.1");
  EXPECT_EQ(options.port, 8'081);
}

}  // namespace
}  // namespace millrace
