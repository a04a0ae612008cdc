#include "millrace/coordination/worker_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace millrace::detail {
namespace {

using testing::HasSubstr;

const HostId kHost{"0123456789abcdef0123456789abcdef", 7};
const std::string kArtifact(64, 'a');

StartHost start() {
  return {.host = kHost,
          .artifact = kArtifact,
          .artifact_bytes = 13,
          .arguments = {"--input=a b", "", "--n", "3"},
          .directory = "/home/somebody",
          .plan = std::string("\0\1plan", 6),
          .settings = {{"parallelism.default", "4"}, {"log.level", "debug"}},
          .coordinator = "10.0.0.1:4711",
          .checkpoints = "/mnt/checkpoints/fraud"};
}

std::vector<WorkerCommand> commands() {
  return {start(),
          StopHost{kHost},
          ArtifactPart{kArtifact, 1 << 20, std::string(99, '\0'), {}},
          ArtifactPart{kArtifact, 0, "", not_found("no such artifact")},
          ReadLog{5, kHost.job, 4'096},
          RedirectHost{kHost, LeaderEpoch(6), "10.0.0.1:4711"}};
}

std::vector<WorkerReport> reports() {
  return {RegisterWorker{4, {kHost, {kHost.job, 8}}}, RegisterWorker{1, {}},
          HostEnded{kHost, user_code("SIGSEGV")}, FetchArtifact{kArtifact, 1 << 20},
          LogRead{5, std::string("said\n\xff\0more", 11)}};
}

TEST(WorkerCodec, GivesEveryCommandBack) {
  for (const WorkerCommand& command : commands()) {
    const std::string bytes = *encode(command);
    const Result<WorkerCommand> decoded = decode_worker_command(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->index(), command.index());
    EXPECT_EQ(*encode(*decoded), bytes);
  }
}

TEST(WorkerCodec, GivesEveryReportBack) {
  for (const WorkerReport& report : reports()) {
    const std::string bytes = *encode(report);
    const Result<WorkerReport> decoded = decode_worker_report(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->index(), report.index());
    EXPECT_EQ(*encode(*decoded), bytes);
  }
}

TEST(WorkerCodec, KeepsWhatAHostIsStartedWith) {
  const auto decoded = decode_worker_command(*encode(WorkerCommand(start())));
  const auto& read = std::get<StartHost>(*decoded);
  EXPECT_EQ(read.host, kHost);
  EXPECT_EQ(read.artifact, kArtifact);
  EXPECT_EQ(read.artifact_bytes, 13U);
  EXPECT_EQ(read.arguments, start().arguments);
  EXPECT_EQ(read.directory, start().directory);
  EXPECT_EQ(read.plan, start().plan);
  EXPECT_EQ(read.settings, start().settings);
  EXPECT_EQ(read.coordinator, start().coordinator);
  EXPECT_EQ(read.checkpoints, start().checkpoints);
}

TEST(WorkerCodec, KeepsThePartsOfAnArtifact) {
  const auto decoded = decode_worker_command(*encode(commands()[2]));
  const auto& part = std::get<ArtifactPart>(*decoded);
  EXPECT_EQ(part.offset, 1U << 20);
  EXPECT_EQ(part.bytes, std::string(99, '\0'));
  EXPECT_FALSE(part.error);
  const auto refused = decode_worker_command(*encode(commands()[3]));
  EXPECT_EQ(std::get<ArtifactPart>(*refused).error, not_found("no such artifact"));
}

TEST(WorkerCodec, KeepsHowAHostEnded) {
  const auto decoded = decode_worker_report(*encode(reports()[2]));
  EXPECT_EQ(std::get<HostEnded>(*decoded).host, kHost);
  EXPECT_EQ(std::get<HostEnded>(*decoded).error, user_code("SIGSEGV"));
}

// Files are named by them.
TEST(WorkerCodec, RefusesNamesThatAreNoneOfTheirForm) {
  const HostId elsewhere{"../../../etc/0123456789abcdef012", 1};
  StartHost bad = start();
  bad.artifact = "../../bin/sh";
  for (const WorkerCommand& command :
       {WorkerCommand(StopHost{elsewhere}), WorkerCommand(ReadLog{1, elsewhere.job, 1}),
        WorkerCommand(bad), WorkerCommand(ArtifactPart{"x", 0, "", {}}),
        WorkerCommand(RedirectHost{elsewhere, LeaderEpoch(6), "10.0.0.1:4711"})}) {
    const auto decoded = decode_worker_command(*encode(command));
    ASSERT_FALSE(decoded) << command.index();
    EXPECT_EQ(decoded.error().code(), ErrorCode::kCorruption);
  }
  for (const WorkerReport& report :
       {WorkerReport(RegisterWorker{1, {elsewhere}}), WorkerReport(FetchArtifact{"x", 0}),
        WorkerReport(HostEnded{elsewhere, internal("")})}) {
    EXPECT_FALSE(decode_worker_report(*encode(report))) << report.index();
  }
}

TEST(WorkerCodec, RefusesBytesThatAreCutOffOrGoOn) {
  const std::string bytes = *encode(WorkerCommand(start()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_worker_command(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code(), ErrorCode::kCorruption);
  }
  EXPECT_THAT(decode_worker_command(bytes + "12345678").error().message(),
              HasSubstr("bytes follow"));
}

TEST(WorkerCodec, SurvivesBytesThatWereChanged) {
  std::vector<std::string> seeds;
  for (const WorkerCommand& command : commands()) seeds.push_back(*encode(command));
  for (const WorkerReport& report : reports()) seeds.push_back(*encode(report));
  Random random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seeds[random.below(seeds.size())];
    for (std::uint64_t changes = random.below(4) + 1; changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
}

}  // namespace
}  // namespace millrace::detail
