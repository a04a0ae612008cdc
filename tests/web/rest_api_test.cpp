// Every path of the REST interface, as a client sees it.
#include <gmock/gmock.h>
#include <httplib.h>

#include <nlohmann/json.hpp>

#include "millrace/core/sha256.h"
#include "millrace/core/text.h"
#include "millrace/web/base64.h"
#include "web/rest_fixture.h"

namespace millrace {
namespace {

using detail::JobPhase;
using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view kId = "00000000000000000000000000000001";
constexpr std::string_view kOther = "00000000000000000000000000000002";

struct Answer {
  int status = 0;
  std::string body;
  httplib::Headers headers;

  json read() const { return json::parse(body); }
  std::string error() const { return read()["errors"][0]; }
};

class RestApiTest : public test_support::RestTest {
 protected:
  void SetUp() override {
    RestTest::SetUp();
    control_.put_job({.id = std::string(kId),
                      .name = "fraud",
                      .phase = JobPhase::kRunning,
                      .parallelism = 2,
                      .completed_checkpoints = 1,
                      .tasks = {{"v1", "source", 2, {"worker-1", "worker-1"}}}});
  }

  Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
             const httplib::Headers& headers = {}) {
    httplib::Client client("127.0.0.1", server_->port());
    httplib::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.headers = headers;
    const httplib::Result result = client.send(request);
    if (!result) return {.status = -1, .body = httplib::to_string(result.error())};
    return {result->status, result->body, result->headers};
  }
  Answer get(const std::string& path) { return ask("GET", path); }
  std::string job(std::string_view rest = {}) { return concat("/jobs/", kId, rest); }

  std::string upload(const std::string& bytes) {
    Sha256 digest;
    digest.add(bytes);
    const std::string name = digest.take();
    EXPECT_EQ(ask("PUT", "/artifacts/" + name, bytes).status, 201);
    return name;
  }
};

TEST_F(RestApiTest, TellsOfTheCluster) {
  const Answer overview = get("/overview");
  EXPECT_EQ(overview.status, 200);
  EXPECT_EQ(overview.headers.find("Content-Type")->second, "application/json");
  EXPECT_EQ(overview.read()["slots-total"], 4);
  EXPECT_EQ(overview.read()["jobs-running"], 1);
  EXPECT_TRUE(get("/config").read().contains("features"));
  EXPECT_EQ(get("/taskmanagers").read()["taskmanagers"][0]["id"], "worker-1");
  EXPECT_EQ(get("/leader").read()["here"], true);
}

TEST_F(RestApiTest, TellsOfJobs) {
  EXPECT_EQ(get("/jobs").read()["jobs"][0]["id"], kId);
  EXPECT_EQ(get("/jobs/overview").read()["jobs"][0]["name"], "fraud");
  EXPECT_EQ(get(job()).read()["vertices"][0]["tasks"]["RUNNING"], 2);
  EXPECT_EQ(get(job("/checkpoints")).read()["counts"]["completed"], 1);
  EXPECT_EQ(get("/v1/jobs").status, 200);
}

TEST_F(RestApiTest, AnswersAHeadWithoutABody) {
  const Answer answer = ask("HEAD", "/overview");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

TEST_F(RestApiTest, CancelsAJob) {
  const Answer answer = ask("PATCH", job("?mode=cancel"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(get(job()).read()["state"], "CANCELED");
  const Answer wrong = ask("PATCH", job("?mode=stop"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.error(), HasSubstr("mode='stop'; expected cancel"));
}

TEST_F(RestApiTest, StopsAJobBehindASavepoint) {
  const Answer answer = ask("POST", job("/stop"), R"({"targetDirectory":"/s","drain":true})");
  EXPECT_EQ(answer.status, 202);
  const std::string request = answer.read()["request-id"];
  const auto wish = control_.savepoint_wishes().at(0);
  EXPECT_EQ(wish.directory, "/s");
  EXPECT_TRUE(wish.stop && wish.drain);
  EXPECT_EQ(get(job("/savepoints/" + request)).read()["operation"]["location"],
            "/saves/savepoint-1");
}

TEST_F(RestApiTest, TakesASavepoint) {
  EXPECT_EQ(ask("POST", job("/savepoints")).status, 202);
  EXPECT_EQ(ask("POST", job("/savepoints"),
                R"({"target-directory":"/s","cancel-job":true,"formatType":"CANONICAL"})")
                .status,
            202);
  const auto wishes = control_.savepoint_wishes();
  EXPECT_FALSE(wishes.at(0).stop);
  EXPECT_EQ(wishes.at(1).directory, "/s");
  EXPECT_TRUE(wishes.at(1).stop);
  EXPECT_FALSE(wishes.at(1).drain);
  EXPECT_EQ(get(job("/savepoints/other")).status, 404);
}

TEST_F(RestApiTest, RescalesAJob) {
  EXPECT_EQ(ask("PUT", job("/resource-requirements"),
                R"({"v1":{"parallelism":{"lowerBound":1,"upperBound":4}}})")
                .status,
            200);
  EXPECT_EQ(get(job()).read()["parallelism"], 4);
  EXPECT_EQ(get(job("/resource-requirements")).read()["v1"]["parallelism"]["upperBound"], 2);
}

TEST_F(RestApiTest, RefusesARescaleThatItCannotMake) {
  const auto rescale = [&](const std::string& body) {
    return ask("PUT", job("/resource-requirements"), body);
  };
  EXPECT_THAT(rescale("{}").error(), HasSubstr("no parallelism is asked for"));
  EXPECT_THAT(rescale(R"({"v":{"parallelism":{"upperBound":0}}})").error(),
              HasSubstr("a parallelism of 0; expected 1 to 32768"));
  EXPECT_EQ(
      rescale(R"({"v":{"parallelism":{"upperBound":2}},"w":{"parallelism":{"upperBound":3}}})")
          .status,
      501);
  EXPECT_THAT(rescale(R"({"v":{"parallelism":4}})").error(), HasSubstr("column"));
}

TEST_F(RestApiTest, GivesTheLastLinesOfTheLog) {
  const Answer all = get(job("/logs"));
  EXPECT_EQ(all.body, "first\nsecond\nthird\n");
  EXPECT_THAT(all.headers.find("Content-Type")->second, HasSubstr("text/plain"));
  EXPECT_EQ(get(job("/logs?lines=2")).body, "second\nthird\n");
  for (const char* lines : {"0", "-1", "many", "", "1000000", "99999999999999999999"}) {
    const Answer wrong = get(job(concat("/logs?lines=", lines)));
    EXPECT_EQ(wrong.status, 400) << lines;
    EXPECT_THAT(wrong.error(), HasSubstr("expected a whole number")) << lines;
  }
}

TEST_F(RestApiTest, KeepsArtifacts) {
  const std::string bytes(300'000, 'x');
  Sha256 digest;
  digest.add(bytes);
  const std::string path = "/artifacts/" + digest.take();
  EXPECT_EQ(ask("HEAD", path).status, 404);
  EXPECT_EQ(ask("PUT", path, bytes).status, 201);
  EXPECT_EQ(ask("HEAD", path).status, 200);
  EXPECT_LE(control_.largest_part(), 65'536);
  EXPECT_EQ(control_.artifact_bytes(), bytes.size());
}

TEST_F(RestApiTest, RefusesAnArtifactOfAnotherName) {
  const std::string path = "/artifacts/" + std::string(64, 'a');
  const Answer wrong = ask("PUT", path, "bytes");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_THAT(wrong.error(), HasSubstr("the bytes have the SHA-256 "));
  for (const std::string name : {"abc", "..%2e..%2e", "%00"}) {
    EXPECT_EQ(ask("PUT", "/artifacts/" + name, "bytes").status, 400) << name;
    EXPECT_EQ(ask("HEAD", "/artifacts/" + name).status, 400) << name;
  }
}

TEST_F(RestApiTest, RunsAnArtifactOnceForEachId) {
  const std::string run = "/artifacts/" + upload("program") + "/run";
  const json body{{"id", kOther},
                  {"name", "second"},
                  {"arguments", {"--input=a", "b c"}},
                  {"directory", "/home"},
                  {"description", detail::to_base64("description\0of it")},
                  {"parallelism", 3},
                  {"restore", "/s"},
                  {"allow_dropped_state", true}};
  const Answer first = ask("POST", run, body.dump());
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.read()["jobid"], kOther);
  const Answer second = ask("POST", run, body.dump());
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  json other = body;
  other["parallelism"] = 4;
  const Answer third = ask("POST", run, other.dump());
  EXPECT_EQ(third.status, 409);
  EXPECT_THAT(third.error(), HasSubstr("is another one"));
  const auto submissions = control_.submissions();
  ASSERT_EQ(submissions.size(), 1);
  EXPECT_EQ(submissions[0].arguments, (std::vector<std::string>{"--input=a", "b c"}));
  EXPECT_EQ(submissions[0].parallelism, 3);
  EXPECT_EQ(submissions[0].restore, "/s");
  EXPECT_TRUE(submissions[0].allow_dropped_state);
  EXPECT_FALSE(submissions[0].allow_repeated_output);
}

TEST_F(RestApiTest, RefusesARunThatIsNone) {
  const std::string run = "/artifacts/" + upload("program") + "/run";
  const auto error = [&](const json& body) {
    const Answer answer = ask("POST", run, body.dump());
    EXPECT_EQ(answer.status, 400);
    return answer.error();
  };
  const json good{{"id", kOther}, {"description", detail::to_base64("description")}};
  const auto with = [&](const char* key, const json& value) {
    json body = good;
    body[key] = value;
    return body;
  };
  EXPECT_THAT(error(json::object()), HasSubstr("the key 'id' is missing"));
  EXPECT_THAT(error(with("id", "job")), HasSubstr("id: 'job' is no job id; expected 32"));
  EXPECT_THAT(error(with("description", "*")), HasSubstr("description: base64"));
  EXPECT_THAT(error(with("description", "bm9uZQ==")), HasSubstr("the description is none"));
  EXPECT_THAT(error(with("parallelism", 0)), HasSubstr("a parallelism of 0"));
  EXPECT_THAT(error(with("arguments", "a")), HasSubstr("field 'arguments'"));
  EXPECT_EQ(ask("POST", "/artifacts/" + std::string(64, 'a') + "/run", good.dump()).status, 404);
  EXPECT_EQ(ask("POST", "/artifacts/a/run", good.dump()).status, 400);
}

TEST_F(RestApiTest, SaysWhereJsonIsWrong) {
  for (const char* body :
       {"{", "[]", "\"text\"", "{\"drain\":1}", "{\"drain\":true}}", "{\"drain\":true,}", "nul"}) {
    const Answer answer = ask("POST", job("/stop"), body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.error(), HasSubstr(concat("the body of POST '", job("/stop"),
                                                 "' as JSON: "
                                                 "column ")))
        << body;
  }
  EXPECT_TRUE(control_.savepoint_wishes().empty());
}

TEST_F(RestApiTest, RefusesABodyThatIsNoText) {
  const Answer answer = ask("POST", job("/stop"), "{\"targetDirectory\":\"\xff\"}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.error(), HasSubstr("not valid UTF-8"));
}

TEST_F(RestApiTest, KnowsNoJobOfAnotherId) {
  const std::string path = concat("/jobs/", kOther);
  for (const char* rest :
       {"", "/checkpoints", "/logs", "/resource-requirements", "/savepoints/request-1"}) {
    const Answer answer = get(path + rest);
    EXPECT_EQ(answer.status, 404) << rest;
    EXPECT_THAT(answer.error(), HasSubstr("there is no job")) << rest;
  }
  EXPECT_EQ(ask("PATCH", path).status, 404);
  EXPECT_EQ(ask("POST", path + "/stop").status, 404);
  EXPECT_EQ(ask("POST", path + "/savepoints").status, 404);
  EXPECT_EQ(ask("PUT", path + "/resource-requirements", R"({"v":{"parallelism":{"upperBound":1}}})")
                .status,
            404);
}

TEST_F(RestApiTest, KnowsNoOtherPath) {
  for (const char* path : {"/", "/job", "/jobs/", "/jobs/a/b", "/overview/", "/artifacts"}) {
    const Answer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_FALSE(answer.error().empty());
  }
  EXPECT_THAT(get("/job").error(), HasSubstr("there is no path '/job'"));
}

TEST_F(RestApiTest, NamesTheMethodsThatAPathHas) {
  const Answer deleted = ask("DELETE", job());
  EXPECT_EQ(deleted.status, 405);
  EXPECT_EQ(deleted.headers.find("Allow")->second, "GET, PATCH");
  EXPECT_THAT(deleted.error(), HasSubstr("expected GET or PATCH"));
  EXPECT_EQ(ask("POST", "/overview", "{}").status, 405);
  EXPECT_EQ(ask("OPTIONS", "/overview").status, 405);
  EXPECT_EQ(get("/artifacts/" + std::string(64, 'a')).headers.find("Allow")->second, "HEAD, PUT");
}

TEST_F(RestApiTest, SaysEachErrorByItsStatus) {
  const std::pair<Error, int> errors[] = {
      {invalid_argument("a"), 400}, {not_found("b"), 404},          {corruption("c"), 422},
      {unavailable("d"), 503},      {resource_exhausted("e"), 507}, {cancelled("f"), 409},
      {unsupported("g"), 501},      {user_code("h"), 424},          {internal("i"), 500}};
  for (const auto& [error, status] : errors) {
    control_.fail_with(error);
    for (const std::string& path :
         {std::string("/overview"), std::string("/jobs"), job(), std::string("/jobs/overview"),
          std::string("/taskmanagers"), job("/logs"), job("/savepoints/request-1")}) {
      const Answer answer = get(path);
      EXPECT_EQ(answer.status, status) << path;
      EXPECT_EQ(answer.error(), error.message()) << path;
    }
  }
}

TEST_F(RestApiTest, SendsOnToTheLeader) {
  control_.set_leader({.here = false, .rest_address = "http://127.0.0.1:9"});
  const Answer answer = get("/jobs/overview?a=b");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.headers.find("Location")->second, "http://127.0.0.1:9/jobs/overview?a=b");
  EXPECT_THAT(answer.error(), HasSubstr("the one at http://127.0.0.1:9 does"));
  EXPECT_EQ(ask("POST", job("/stop"), "{}").status, 307);
  EXPECT_TRUE(control_.savepoint_wishes().empty());
  EXPECT_EQ(get("/leader").body, R"({"here":false,"address":"http://127.0.0.1:9"})");
  EXPECT_EQ(get("/nowhere").status, 404);
}

TEST_F(RestApiTest, SaysWhyItIsNotKnownWhoLeads) {
  control_.set_leader({.here = false, .rest_address = {}, .trouble = "nobody answers"});
  const Answer answer = get("/jobs");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.error(), HasSubstr("is known yet: nobody answers; try again"));
}

TEST_F(RestApiTest, SaysThatNobodyLeads) {
  control_.set_leader({.here = false});
  const Answer answer = get("/jobs");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.error(), HasSubstr("none that does is known yet"));
  EXPECT_EQ(get("/leader").status, 200);
}

TEST_F(RestApiTest, AnswersNoPageOfAnotherSite) {
  EXPECT_EQ(ask("GET", "/jobs", {}, {{"Origin", "https://example.com"}}).status, 403);
  const Answer named = ask("PATCH", job("?mode=cancel"), {}, {{"Host", "rebound.example:8081"}});
  EXPECT_EQ(named.status, 403);
  EXPECT_THAT(named.error(), HasSubstr("for the host 'rebound.example:8081'"));
  EXPECT_EQ(get(job()).read()["state"], "RUNNING");
}

}  // namespace
}  // namespace millrace
