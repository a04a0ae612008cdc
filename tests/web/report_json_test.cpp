// The shapes that tools written for Flink read, to the letter.
#include "millrace/web/report_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "millrace/web/http.h"
#include "millrace/web/job_words.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr Timestamp kNow{10'000ms};

JobReport sample() {
  return {.id = "a1",
          .name = "fraud",
          .phase = JobPhase::kRunning,
          .started = Timestamp(4'000ms),
          .attempt = 2,
          .parallelism = 2,
          .completed_checkpoints = 7,
          .tasks = {{"v1", "source", 2, {"w1", "w2"}, 3, 4}, {"v2", "sink", 2, {"w1", ""}}},
          .checkpoints = {{.id = 6,
                           .path = "/c/6",
                           .triggered = Timestamp(5'000ms),
                           .completed = Timestamp(5'200ms)},
                          {.id = 7,
                           .path = "/s/7",
                           .savepoint = true,
                           .triggered = Timestamp(6'000ms),
                           .completed = Timestamp(6'100ms)},
                          {.id = 8, .triggered = Timestamp(7'000ms), .failure = "declined"},
                          {.id = 9, .triggered = Timestamp(8'000ms)}}};
}

TEST(ReportJson, HasErrorsAsFlink) {
  EXPECT_EQ(errors_json("no \"job\"\n"), R"({"errors":["no \"job\"\n"]})");
  EXPECT_EQ(one_member_json("request-id", "r"), R"({"request-id":"r"})");
  EXPECT_EQ(errors_json("a\xff"), "{\"errors\":[\"a\xef\xbf\xbd\"]}");
}

TEST(ReportJson, CountsJobsAndSlots) {
  std::vector<JobReport> jobs;
  for (int phase = 0; phase < 9; ++phase) jobs.push_back({.phase = static_cast<JobPhase>(phase)});
  const WorkerReport workers[] = {{.slots = 4, .free_slots = 1}, {.slots = 2, .free_slots = 2}};
  const json read = json::parse(overview_json(jobs, workers));
  EXPECT_EQ(read["taskmanagers"], 2);
  EXPECT_EQ(read["slots-total"], 6);
  EXPECT_EQ(read["slots-available"], 3);
  EXPECT_EQ(read["jobs-running"], 5);
  EXPECT_EQ(read["jobs-finished"], 2);
  EXPECT_EQ(read["jobs-cancelled"], 1);
  EXPECT_EQ(read["jobs-failed"], 1);
  EXPECT_TRUE(read["flink-version"].is_string());
  EXPECT_EQ(json::parse(config_json())["features"]["web-cancel"], true);
}

TEST(ReportJson, ListsJobs) {
  const JobReport jobs[] = {sample()};
  EXPECT_EQ(job_ids_json(jobs), R"({"jobs":[{"id":"a1","status":"RUNNING"}]})");
  const json job = json::parse(jobs_overview_json(jobs, kNow))["jobs"][0];
  EXPECT_EQ(job["jid"], "a1");
  EXPECT_EQ(job["state"], "RUNNING");
  EXPECT_EQ(job["phase"], "running");
  EXPECT_EQ(job["start-time"], 4'000);
  EXPECT_EQ(job["end-time"], -1);
  EXPECT_EQ(job["duration"], 6'000);
  EXPECT_EQ(job["tasks"]["total"], 4);
  EXPECT_EQ(job["tasks"]["running"], 3);
  EXPECT_EQ(job["tasks"]["scheduled"], 1);
  EXPECT_EQ(job_ids_json({}), R"({"jobs":[]})");
}

TEST(ReportJson, TellsOfAJobAndItsVertices) {
  JobReport report = sample();
  report.ended = Timestamp(9'000ms);
  const json job = json::parse(job_json(report, kNow));
  EXPECT_EQ(job["duration"], 5'000);
  EXPECT_EQ(job["now"], 10'000);
  EXPECT_EQ(job["attempt"], 2);
  EXPECT_EQ(job["status-counts"]["RUNNING"], 3);
  ASSERT_EQ(job["vertices"].size(), 2);
  EXPECT_EQ(job["vertices"][0]["id"], "v1");
  EXPECT_EQ(job["vertices"][0]["status"], "RUNNING");
  EXPECT_EQ(job["vertices"][0]["tasks"]["RUNNING"], 2);
  EXPECT_EQ(job["vertices"][1]["status"], "SCHEDULED");
  EXPECT_EQ(job["vertices"][1]["hosts"], json::array({"w1", ""}));
  EXPECT_EQ(job["vertices"][0]["metrics"]["read-records"], 3);
  EXPECT_EQ(job["vertices"][0]["metrics"]["write-records"], 4);
}

TEST(ReportJson, ListsCheckpointsTheNewestFirst) {
  const json read = json::parse(checkpoints_json(sample()));
  EXPECT_EQ(read["counts"]["completed"], 7);
  EXPECT_EQ(read["counts"]["in_progress"], 1);
  EXPECT_EQ(read["counts"]["failed"], 1);
  EXPECT_EQ(read["counts"]["total"], 9);
  EXPECT_EQ(read["latest"]["completed"]["id"], 6);
  EXPECT_EQ(read["latest"]["savepoint"]["external_path"], "/s/7");
  EXPECT_EQ(read["latest"]["failed"]["failure_message"], "declined");
  EXPECT_TRUE(read["latest"]["restored"].is_null());
  EXPECT_EQ(read["history"][0]["status"], "IN_PROGRESS");
  EXPECT_EQ(read["history"][3]["end_to_end_duration"], 200);
  EXPECT_TRUE(json::parse(checkpoints_json({}))["latest"]["completed"].is_null());
}

TEST(ReportJson, TellsHowASavepointGoes) {
  EXPECT_EQ(savepoint_json({}), R"({"status":{"id":"IN_PROGRESS"}})");
  EXPECT_EQ(savepoint_json({.completed = true, .path = "/s"}),
            R"({"status":{"id":"COMPLETED"},"operation":{"location":"/s"}})");
  const json failed = json::parse(savepoint_json({.failure = "full"}));
  EXPECT_EQ(failed["status"]["id"], "COMPLETED");
  EXPECT_EQ(failed["operation"]["failure-cause"]["stack-trace"], "full");
}

TEST(ReportJson, ListsWorkers) {
  const WorkerReport workers[] = {{"w1", "10.0.0.1:6122", 4, 3, Timestamp(5ms)}, {.id = "w2"}};
  const json read = json::parse(workers_json(workers))["taskmanagers"];
  EXPECT_EQ(read[0]["dataPort"], 6'122);
  EXPECT_EQ(read[0]["freeSlots"], 3);
  EXPECT_EQ(read[0]["timeSinceLastHeartbeat"], 5);
  EXPECT_EQ(read[1]["dataPort"], -1);
  EXPECT_EQ(leader_json({true, "http://a"}), R"({"here":true,"address":"http://a"})");
  EXPECT_EQ(requirements_json({.tasks = {{"v", "n", 3, {}}}}),
            R"({"v":{"parallelism":{"lowerBound":1,"upperBound":3}}})");
}

TEST(JobWords, HaveAWordOfFlinkForEachPhase) {
  EXPECT_EQ(flink_state_of(JobPhase::kWaiting), "CREATED");
  EXPECT_EQ(flink_state_of(JobPhase::kStopped), "FINISHED");
  EXPECT_EQ(flink_state_of(JobPhase::kCancelled), "CANCELED");
  EXPECT_EQ(flink_state_of(JobPhase::kFailed), "FAILED");
}

TEST(HttpStatus, IsAnErrorAndBack) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    EXPECT_EQ(code_of(status_of(static_cast<ErrorCode>(code))), static_cast<ErrorCode>(code));
  }
  EXPECT_EQ(code_of(502), ErrorCode::kInternal);
  EXPECT_EQ(code_of(405), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace millrace::detail
