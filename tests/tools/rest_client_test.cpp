#include "millrace/tools/rest_client.h"

#include <atomic>
#include <thread>

#include "millrace/core/text.h"
#include "tools/cluster_fixture.h"

namespace millrace::detail {
namespace {

using test_support::serve;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

std::string parsed(std::string_view text) {
  const Result<RestAddress> address = parse_rest_address(text);
  return address ? address->text() : address.error().message();
}

TEST(RestAddress, IsReadWithAndWithoutSchemeAndPort) {
  EXPECT_EQ(parsed("http://a.example:1"), "http://a.example:1");
  EXPECT_EQ(parsed("http://a.example/"), "http://a.example:8081");
  EXPECT_EQ(parsed("127.0.0.1:65535"), "http://127.0.0.1:65535");
  EXPECT_EQ(parsed("[::1]:9"), "http://[::1]:9");
  EXPECT_EQ(parsed("http://[::1]"), "http://[::1]:8081");
}

TEST(RestAddress, RefusesWhatIsNone) {
  EXPECT_THAT(parsed("https://a"), HasSubstr("asks for TLS"));
  for (const char* text : {"", "http://", ":1", "a b", "http://a/b", "user@a", "[::1", "::1"}) {
    EXPECT_THAT(parsed(text), HasSubstr("names no host; expected http://HOST:PORT")) << text;
  }
  for (const char* text : {"a:", "a:0", "a:65536", "a:b", "[::1]9"}) {
    EXPECT_THAT(parsed(text), HasSubstr("has no port from 1 to 65535")) << text;
  }
}

TEST(RestAddress, ComesInLists) {
  const auto addresses = parse_rest_addresses("http://a:1, b:2 ,c");
  ASSERT_TRUE(addresses) << addresses.error().message();
  EXPECT_EQ(addresses->size(), 3);
  EXPECT_EQ((*addresses)[2].text(), "http://c:8081");
  EXPECT_FALSE(parse_rest_addresses("a,"));
  EXPECT_FALSE(parse_rest_addresses(""));
}

class RestClientTest : public testing::Test {
 protected:
  RestClient client(const std::string& addresses, Duration whole = 300ms) {
    return {*parse_rest_addresses(addresses),
            {.whole = whole,
             .pause = 20ms,
             .answer = 5s,
             .interrupted = [this] { return stop_.load(); }},
            notes_};
  }

  test::MemoryClusterControl leader_;
  test::MemoryClusterControl standby_;
  std::ostringstream notes_;
  std::atomic<bool> stop_{false};
};

// Nothing listens there.
constexpr const char* kDead = "http://127.0.0.1:1";

TEST_F(RestClientTest, AsksOneAfterTheOther) {
  const auto server = serve(leader_);
  const Result<std::string> answer =
      client(concat(kDead, ",", server->address())).ask({.path = "/jobs"});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(*answer, R"({"jobs":[]})");
  EXPECT_THAT(notes_.str(), IsEmpty());
}

TEST_F(RestClientTest, FollowsAStandbyToTheLeader) {
  const auto leading = serve(leader_);
  const auto waiting = serve(standby_);
  standby_.set_leader({.rest_address = leading->address()});
  EXPECT_TRUE(client(waiting->address()).ask({.path = "/jobs"}));
}

TEST_F(RestClientTest, NamesAllThatDoNotAnswer) {
  const auto waiting = serve(standby_);
  standby_.set_leader({});
  const Result<std::string> answer =
      client(concat(kDead, ",", waiting->address())).ask({.path = "/jobs"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(
      answer.error().message(),
      AllOf(HasSubstr("no coordinator of the cluster answers: http://127.0.0.1:1 cannot"),
            HasSubstr(concat(waiting->address(), " says: this coordinator does not lead"))));
  EXPECT_THAT(notes_.str(), AllOf(HasSubstr("trying for 300ms"), testing::EndsWith("\n")));
  EXPECT_EQ(notes_.str().find("trying"), notes_.str().rfind("trying"));
}

TEST_F(RestClientTest, WaitsForALeader) {
  const auto waiting = serve(standby_);
  standby_.set_leader({});
  std::thread election([&] {
    std::this_thread::sleep_for(200ms);
    standby_.set_leader({.here = true});
  });
  EXPECT_TRUE(client(waiting->address(), 20s).ask({.path = "/jobs"}));
  election.join();
}

TEST_F(RestClientTest, GivesUpCoordinatorsThatSendToEachOther) {
  const auto one = serve(leader_);
  const auto other = serve(standby_);
  leader_.set_leader({.rest_address = other->address()});
  standby_.set_leader({.rest_address = one->address()});
  const Result<std::string> answer = client(one->address()).ask({.path = "/jobs"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("send from one to the other"));
}

TEST_F(RestClientTest, PassesOnWhatTheClusterSays) {
  const auto server = serve(leader_);
  const Result<std::string> answer = client(server->address()).ask({.path = "/jobs/a"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(answer.error().message(), "there is no job 'a'");
}

TEST_F(RestClientTest, SaysThatAnotherProgramAnswers) {
  const HttpAnswer page{.status = 200, .body = "<html>", .type = "text/html"};
  const HttpAnswer missing{.status = 404, .body = "not here"};
  const auto server = HttpServer::start(
      {}, [&](const HttpRequest& request) { return request.path == "/page" ? page : missing; }, {});
  ASSERT_TRUE(server);
  RestClient asking = client(concat("127.0.0.1:", (*server)->port()));
  struct Jobs {
    std::vector<std::string> jobs;
  };
  const auto jobs = asking.ask_for<Jobs>({.path = "/page"});
  ASSERT_FALSE(jobs);
  EXPECT_THAT(jobs.error().message(), HasSubstr("is a coordinator of Millrace there"));
  const auto none = asking.ask({.path = "/jobs"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message(), HasSubstr("'not here' with status 404"));
}

// A server that reads a request and closes.
TEST_F(RestClientTest, AsksNotTwiceForWhatMayHaveBeenDone) {
  std::atomic<int> asked{0};
  auto broken = HttpServer::start({.patience = 200ms},
                                  [&](const HttpRequest&) {
                                    ++asked;
                                    std::this_thread::sleep_for(500ms);
                                    return HttpAnswer{};
                                  },
                                  {});
  ASSERT_TRUE(broken);
  RestClient asking({{"127.0.0.1", (*broken)->port()}},
                    {.whole = 5s, .pause = 20ms, .answer = 100ms}, notes_);
  const auto answer =
      asking.ask({.method = "POST", .path = "/x", .body = "{}", .repeatable = false});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("look before you ask again"));
  EXPECT_EQ(asked, 1);
}

TEST_F(RestClientTest, EndsWhenItIsInterrupted) {
  stop_ = true;
  const auto answer = client(kDead, 60s).ask({.path = "/jobs"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kCancelled);
}

TEST_F(RestClientTest, UploadsNothingToAStandby) {
  const auto leading = serve(leader_);
  const auto waiting = serve(standby_);
  standby_.set_leader({.rest_address = leading->address()});
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("a", std::string(20'000'000, 'x'));
  const auto answer =
      client(waiting->address())
          .ask({.method = "PUT", .path = "/artifacts/" + std::string(64, 'a'), .file = path});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(leader_.artifact_bytes(), 20'000'000);
  EXPECT_EQ(standby_.artifact_bytes(), 0);
}

TEST_F(RestClientTest, UploadsAFile) {
  const auto server = serve(leader_);
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("a", std::string(1'000'000, 'x'));
  const auto answer =
      client(server->address())
          .ask({.method = "PUT", .path = "/artifacts/" + std::string(64, 'a'), .file = path});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("the bytes have the SHA-256"));
  EXPECT_EQ(leader_.artifact_bytes(), 1'000'000);
}

}  // namespace
}  // namespace millrace::detail
