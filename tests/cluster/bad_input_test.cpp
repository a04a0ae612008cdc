// What is wrong is refused with a message that says what to do, and harms nobody else.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <set>
#include <sstream>

#include "cluster/cluster_fixture.h"
#include "cluster/zookeeper_fixture.h"

namespace millrace::test_support {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr test::EventPattern kLong{.seed = 8, .partitions = 4, .rounds = 200, .keys = 256};

class BadInput : public Cluster {
 protected:
  std::string script(std::string_view name, std::string_view text) {
    const std::string path = directory_.file(name, text);
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  std::string refused(const Words& words) {
    const Said said = millrace(words);
    EXPECT_NE(said.status, 0) << said.text;
    return said.text;
  }
  // It describes another job than the one that its processes make.
  std::string changing_program() {
    return script("changing", concat("#!/bin/sh\ncase \"$*\" in *--plan*) exec ", VERIFIED_JOB,
                                     " \"$@\" --output=/tmp/none;; *) exec ", CRASHING_JOB,
                                     " \"$@\";; esac\n"));
  }
  std::string fails(const Words& program) {
    Words words{"submit", "--detached", "--parallelism=1"};
    words.insert(words.end(), program.begin(), program.end());
    const std::string job = well(words);
    EXPECT_EQ(millrace({"wait", job, "--for=finished", "--timeout=30s"}).status, 1);
    return well({"describe", job});
  }
};

TEST_F(BadInput, IsRefusedWhereAProgramIsNoJob) {
  start({"--workers=1"});
  EXPECT_THAT(refused({"submit", "/bin/true"}), HasSubstr("is it a job of Millrace"));
  EXPECT_THAT(refused({"submit", "/bin/false"}), HasSubstr("ended with 1"));
  EXPECT_THAT(refused({"submit", (root() / "cluster").native()}), HasSubstr("is a directory"));
  EXPECT_THAT(refused({"submit", (root() / "none").native()}), HasSubstr("does not exist"));
  EXPECT_THAT(refused({"submit", directory_.file("notes", "text")}),
              HasSubstr("may not be executed"));
  EXPECT_THAT(refused({"submit", script("garbage", "\x7f\x45\x4c\x46 and no more")}),
              HasSubstr("is it a program for this machine?"));
  EXPECT_THAT(refused({"submit", script("talks", "#!/bin/sh\necho hello\n")}),
              HasSubstr("does not describe a job"));
  EXPECT_THAT(well({"list"}), testing::Not(HasSubstr("\n"))) << "something was submitted";
}

TEST_F(BadInput, FailsTheJobOfAnExecutableThatSpeaksAnotherVersion) {
  start({"--workers=1"});
  EXPECT_THAT(fails({FOREIGN_JOB, "--", "--checkpoint-interval=1s"}),
              AllOf(HasSubstr("failed"), HasSubstr("version 2 of the protocol"),
                    HasSubstr("run the same release of Millrace on both")));
}

TEST_F(BadInput, FailsAJobWhosePlanDiffersOnAWorker) {
  start({"--workers=1"});
  EXPECT_THAT(
      fails({changing_program(), "--", "--checkpoint-interval=1s"}),
      AllOf(HasSubstr("failed"), HasSubstr("so it may depend on the job's parameters only")));
}

// It begins anew with fewer slots, and has still never run: what is wrong with it is not tried
// again and again.
TEST_F(BadInput, FailsAnAdaptiveJobThatHasNeverRun) {
  start({"--workers=1"});
  const std::string job =
      well({"submit", "--detached", "--parallelism=4", changing_program(), "--",
            "--checkpoint-interval=1s", "-D", "jobmanager.scheduler=adaptive", "-D",
            "jobmanager.adaptive-scheduler.resource-stabilization-timeout=500ms"});
  EXPECT_EQ(millrace({"wait", job, "--for=finished", "--timeout=30s"}).status, 1);
  EXPECT_THAT(well({"describe", job}), AllOf(HasSubstr("failed"), HasSubstr("2 of 4 wanted")));
}

TEST_F(BadInput, IsRefusedForAJobThatIsNotThere) {
  start({"--workers=1"});
  const std::string id(32, 'b');
  for (const Words& words :
       {Words{"describe", id}, Words{"cancel", id}, Words{"savepoint", id}, Words{"logs", id},
        Words{"rescale", id, "--parallelism=2"}, Words{"stop", id, "--savepoint=/tmp/none"},
        Words{"wait", id, "--for=finished", "--timeout=5s"}}) {
    EXPECT_THAT(refused(words), HasSubstr(id)) << words.front();
  }
  EXPECT_THAT(refused({"submit", "--job-id=short", VERIFIED_JOB, "--", "--output=/tmp/none"}),
              HasSubstr("32 hexadecimal digits"));
}

TEST_F(BadInput, HasAJobThatIsTooLargeWaitUntilItIsRescaled) {
  start({"--workers=1"});
  const test::EventPattern pattern{.seed = 7, .partitions = 4, .rounds = 20, .keys = 256};
  const std::string job = submit(pattern, 4);
  wait_until([&] {
    return millrace({"describe", job}).text.find("it waits for 4 slots: 2 of 2") !=
           std::string::npos;
  });
  EXPECT_THAT(refused({"rescale", job, "--parallelism=1000"}), HasSubstr("from 1 to 128"));
  well({"rescale", job, "--parallelism=2"});
  wait_for(job, "finished");
  expect_exact(pattern);
}

// Where a process of the cluster listens on loopback.
std::set<std::uint16_t> ports_of(pid_t process) {
  std::set<std::string> sockets;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(concat("/proc/", process, "/fd"), ignored)) {
    sockets.insert(fs::read_symlink(entry.path(), ignored).native());
  }
  std::set<std::uint16_t> ports;
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state, skipped, inode;
    words >> number >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) words >> skipped;
    words >> inode;
    if (state != "0A" || !sockets.contains(concat("socket:[", inode, "]"))) continue;
    ports.insert(
        static_cast<std::uint16_t>(std::stoul(local.substr(local.find(':') + 1), nullptr, 16)));
  }
  return ports;
}

// Sends the bytes, and gives back what comes until the other end closes the connection.
std::string answer_of(std::uint16_t port, std::string_view bytes) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  (void)send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  shutdown(connection, SHUT_WR);
  std::string answer;
  char part[512];
  ssize_t count = 0;
  while ((count = recv(connection, part, sizeof part, 0)) > 0) {
    answer.append(part, static_cast<std::size_t>(count));
  }
  EXPECT_FALSE(count < 0 && errno == EAGAIN) << "port " << port << " keeps the connection";
  close(connection);
  return answer;
}

TEST_F(BadInput, GarbageOnAnyPortHarmsNobody) {
  start();
  const std::string job = submit(kLong, 4, "10000");
  wait_for(job, "checkpoint");
  std::map<pid_t, std::set<std::uint16_t>> ports;
  for (const char* const part : {" coordinator ", "--host="}) {
    for (const pid_t process : processes(part)) ports[process] = ports_of(process);
  }
  ASSERT_THAT(ports, SizeIs(3));
  const std::string zeros(64, '\0');
  const std::string oversized = concat("\xff\xff\xff\x7f", zeros);  // 2 GiB, as a frame's length
  const std::string noise = [] {
    std::string bytes;
    for (std::uint32_t i = 1; i <= 100'000; ++i)
      bytes += static_cast<char>(i * 2'654'435'761U >> 24);
    return bytes;
  }();
  std::size_t asked = 0;
  for (const auto& [process, listening] : ports) {
    EXPECT_FALSE(listening.empty()) << process;
    for (const std::uint16_t port : listening) {
      for (const std::string_view bytes :
           {std::string_view("GET / HTTP/1.1\r\n\r\n"), std::string_view(zeros),
            std::string_view(oversized), std::string_view(noise), std::string_view()}) {
        (void)answer_of(port, bytes);
        ++asked;
      }
    }
  }
  EXPECT_GE(asked, 5u * 5u) << "its REST, links and the job's own; and one of each of two hosts";
  for (const auto& [process, listening] : ports) {
    EXPECT_EQ(kill(process, 0), 0) << "a process has ended" << logs();
  }
  wait_for(job, "finished");
  EXPECT_THAT(well({"describe", job}), HasSubstr("attempt 1,")) << "it was restarted" << logs();
  expect_exact(kLong);
}

// Its servers come up while it waits for them.
class UnreachableZooKeeper : public ClusterOverZooKeeper {};

TEST_F(UnreachableZooKeeper, IsToldAndWaitedFor) {
  for (std::size_t i = 0; i < 3; ++i) ensemble_.kill(i);
  faults::Command command{
      .words = {MILLRACE, "cluster", "start", dir()}, .variables = {}, .output = root() / "start"};
  const Words more = size();
  command.words.insert(command.words.end(), more.begin(), more.end());
  command.words.insert(command.words.end(),
                       {"-D", "high-availability.zookeeper.client.connection-timeout=500ms"});
  faults::ChildProcess starting(command);
  const auto said = [&] { return faults::content_of(root() / "start"); };
  wait_until([&] { return !said().empty(); });
  EXPECT_THAT(said(), AllOf(HasSubstr(ensemble_.addresses()), HasSubstr("does not answer")));
  const std::string rest = faults::content_of(root() / "cluster" / "coordinator-1.address");
  const auto port = static_cast<std::uint16_t>(std::stoul(rest.substr(rest.rfind(':') + 1)));
  EXPECT_THAT(answer_of(port, "GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("503"), HasSubstr("ZooKeeper"), HasSubstr("does not answer")));
  starting.signal(SIGKILL);
  faults::ChildProcess waiting(command);  // for what has been started
  EXPECT_FALSE(waiting.wait_for(2s)) << said();
  for (std::size_t i = 0; i < 3; ++i) ensemble_.restart(i);
  const auto exit = waiting.wait_for(60s);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->status, 0) << said() << logs();
}

}  // namespace
}  // namespace millrace::test_support
