// The program `millrace worker`, under a leader that the test plays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "integration/scripted_leader.h"
#include "millrace/coordination/local_leader_election.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using test_support::Executable;
using test_support::ScriptedLeader;
using testing::HasSubstr;

const std::string kJob(32, 'c');

class WorkerCommandTest : public testing::Test {
 protected:
  WorkerCommandTest() {
    election_.join(leader_.address(), [](const detail::LeadershipEvent&) {});
    start();
  }
  ~WorkerCommandTest() override {
    if (worker_ > 0) kill(worker_, SIGKILL);
    if (worker_ > 0) waitpid(worker_, nullptr, 0);
  }

  void start() {
    const std::string dir = "--dir=" + directory_.path("worker");
    const std::string home = "high-availability.storageDir=" + directory_.path("leader");
    const std::string log = "log.file=" + directory_.path("worker.log");
    worker_ = fork();
    if (worker_ == 0) {
      execl(MILLRACE_PROGRAM, "millrace", "worker", dir.c_str(), "--slots=5", "-D", home.c_str(),
            "-D", log.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    ASSERT_GT(worker_, 0);
    const auto registered = leader_.next<detail::RegisterWorker>();
    ASSERT_TRUE(registered);
    EXPECT_EQ(registered->slots, 5U);
  }
  // A host that says which process it is.
  pid_t start_host() {
    const Executable script = Executable::of(
        "#!/bin/sh\necho $$ > pid.new; mv pid.new pid\n"
        "exec sleep 100\n");
    leader_.keep(script);
    leader_.tell(detail::StartHost{.host = {kJob, 1},
                                   .artifact = script.artifact,
                                   .artifact_bytes = script.content.size(),
                                   .directory = directory_.path(),
                                   .coordinator = "127.0.0.1:1"});
    const bool begun =
        leader_.serve_until([&] { return std::filesystem::exists(directory_.path("pid")); });
    return begun ? std::stoi(directory_.read("pid")) : 0;
  }
  int status() {
    int status = 0;
    waitpid(std::exchange(worker_, 0), &status, 0);
    return status;
  }
  // Nobody may wait for it here, so that it may be seen as a zombie.
  static bool is_gone(pid_t process) {
    for (int i = 0; i < 2'000; ++i) {
      std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
      std::string id;
      std::string name;
      std::string state;
      if (!(stat >> id >> name >> state) || state == "Z") return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  TemporaryDirectory directory_;
  ScriptedLeader leader_;
  detail::RealFileSystem files_;
  detail::LocalLeaderElection election_{files_, directory_.path("leader")};
  pid_t worker_ = 0;
};

TEST_F(WorkerCommandTest, EndsOnSigtermWithItsHosts) {
  const pid_t host = start_host();
  kill(worker_, SIGTERM);
  EXPECT_EQ(leader_.next<detail::HostEnded>()->error.code(), ErrorCode::kCancelled);
  EXPECT_EQ(status(), 0);
  EXPECT_TRUE(is_gone(host));
  EXPECT_THAT(directory_.read("worker.log"), HasSubstr("worker ends"));
}

TEST_F(WorkerCommandTest, TakesItsHostsWithItWhereItIsKilled) {
  const pid_t host = start_host();
  kill(worker_, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(status()));
  EXPECT_TRUE(is_gone(host));
  start();
}

}  // namespace
}  // namespace millrace
