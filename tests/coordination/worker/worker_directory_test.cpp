#include "millrace/coordination/worker/worker_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kJob(32, 'a');
const HostId kHost{kJob, 1};

class WorkerDirectoryTest : public testing::Test {
 protected:
  WorkerDirectory open() const { return *WorkerDirectory::open(directory_.path()); }
  void log(std::uint64_t number, std::string_view text) const {
    directory_.file("logs/" + to_string(HostId{kJob, number}) + ".log", text);
  }

  TemporaryDirectory directory_;
};

TEST_F(WorkerDirectoryTest, BelongsToOneWorker) {
  const WorkerDirectory first = open();
  const auto second = WorkerDirectory::open(directory_.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(second.error().message(), HasSubstr("is the directory of a worker that runs"));
}

TEST_F(WorkerDirectoryTest, KeepsTheNameOfItsWorker) {
  const std::string id = *open().worker_id();
  EXPECT_THAT(id, HasSubstr("-"));
  EXPECT_EQ(*open().worker_id(), id);
  TemporaryDirectory other;
  EXPECT_NE(*WorkerDirectory::open(other.path())->worker_id(), id);
}

TEST_F(WorkerDirectoryTest, PreparesAHost) {
  WorkerDirectory directory = open();
  ASSERT_TRUE(directory.prepare({.cluster = "c", .host = kHost, .plan = "p"}));
  const std::string bytes = directory_.read("hosts/" + to_string(kHost) + "/launch");
  const HostLaunch launch = *decode_host_launch(bytes, "launch");
  EXPECT_EQ(launch.plan, "p");
  EXPECT_EQ(launch.local, directory.local_state(kHost));
  EXPECT_EQ(launch.copies, directory.copies(kJob));
  EXPECT_EQ(launch.crash_page, directory.crash_page(kHost));
  directory.remove(kHost);
  EXPECT_THAT(directory_.names("hosts"), IsEmpty());
}

TEST_F(WorkerDirectoryTest, ForgetsTheHostsOfAnEarlierWorkerButNotWhatTheySaid) {
  ASSERT_TRUE(open().prepare({.host = kHost}));
  log(1, "said");
  const WorkerDirectory directory = open();
  EXPECT_THAT(directory_.names("hosts"), IsEmpty());
  EXPECT_THAT(directory.end_of_logs(kJob, 100), HasSubstr("said\n"));
}

TEST_F(WorkerDirectoryTest, ShowsTheEndOfEachLogOfAJob) {
  const WorkerDirectory directory = open();
  log(10, "ten\n");
  log(2, "first\nsecond\nthird\n");
  directory_.file("logs/" + to_string(HostId{std::string(32, 'b'), 1}) + ".log", "other");
  EXPECT_EQ(directory.end_of_logs(kJob, 13),
            "==> " + kJob + "-2 <==\nthird\n==> " + kJob + "-10 <==\nten\n");
  EXPECT_EQ(directory.end_of_logs(std::string(32, 'c'), 13), "");
}

TEST_F(WorkerDirectoryTest, BoundsWhatIsShown) {
  const WorkerDirectory directory = open();
  const std::string much(kMostLogBytes, 'x');
  log(1, much);
  log(2, much);
  EXPECT_LT(directory.end_of_logs(kJob, ~std::uint64_t{0}).size(), kMostLogBytes + 200);
}

TEST_F(WorkerDirectoryTest, RemovesLogsThatAreOldAndNotWrittenTo) {
  WorkerDirectory directory = open();
  log(1, "one");
  log(2, "two");
  const Timestamp now = SystemClock().now();
  directory.remove_old_logs({}, now - 1h);
  EXPECT_EQ(directory_.names("logs").size(), 2U);
  directory.remove_old_logs({kHost}, now + 1h);
  EXPECT_THAT(directory.end_of_logs(kJob, 99), Not(HasSubstr("two")));
  EXPECT_THAT(directory.end_of_logs(kJob, 99), HasSubstr("one"));
}

TEST_F(WorkerDirectoryTest, RemovesCopiesOfJobsThatHaveNotRunHereForLong) {
  const std::string other(32, 'b');
  directory_.file("copies/" + kJob + "/rows", "");
  directory_.file("copies/" + other + "/rows", "");
  WorkerDirectory directory = open();
  const Timestamp now = SystemClock().now();
  directory.remove_old_copies({}, now - 1h);
  EXPECT_EQ(directory_.names("copies").size(), 2U);
  directory.remove_old_copies({kHost}, now + 1h);
  EXPECT_THAT(directory_.names("copies"), ElementsAre(kJob));
}

TEST_F(WorkerDirectoryTest, SaysWhatTheDiskRefuses) {
  directory_.file("file", "");
  EXPECT_FALSE(WorkerDirectory::open(directory_.path("file/worker")));
  WorkerDirectory directory = open();
  std::filesystem::remove_all(directory_.path("hosts"));
  directory_.file("hosts", "");
  const Status prepared = directory.prepare({.host = kHost});
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().message(), HasSubstr("hosts"));
}

TEST(HostLaunch, IsReadAsItIsWritten) {
  const HostLaunch launch{.cluster = "c",
                          .host = kHost,
                          .listen = "127.0.0.1",
                          .coordinator = "127.0.0.1:1",
                          .plan = "p",
                          .settings = {{"parallelism.default", "4"}},
                          .checkpoints = "/c",
                          .local = "/l",
                          .crash_page = "/p"};
  EXPECT_EQ(*decode_host_launch(*encode(launch), "launch"), launch);
  EXPECT_THAT(decode_host_launch("no launch", "the/file").error().message(), HasSubstr("the/file"));
  HostLaunch nameless = launch;
  nameless.host.job = "x";
  EXPECT_THAT(decode_host_launch(*encode(nameless), "f").error().message(),
              HasSubstr("names no host"));
}

TEST(HostWord, SaysWhoseTheHostIs) {
  const std::string line = host_word({kHost, LeaderEpoch(6), "10.0.0.1:4711"});
  EXPECT_EQ(line, "coordinator 6 10.0.0.1:4711\n");
  EXPECT_EQ(*parse_host_word("coordinator 6 10.0.0.1:4711"),
            (HostWord{LeaderEpoch(6), "10.0.0.1:4711"}));
  for (const char* const bad :
       {"", "coordinator", "coordinator x y", "coordinator 6", "leader 6 a"}) {
    EXPECT_THAT(parse_host_word(bad).error().message(), HasSubstr("EPOCH HOST:PORT")) << bad;
  }
}

TEST(LinkJobId, IsOfTheLeadingDigits) {
  EXPECT_EQ(link_job_id("00000000000000ff0000000000000001"), JobId(255));
  EXPECT_EQ(link_job_id("ffffffffffffffff0000000000000001"), JobId(~std::uint64_t{0}));
}

}  // namespace
}  // namespace millrace::detail
