#include "coordination/zookeeper/zookeeper_test_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ZooKeeperEnsemble> servers;

// Started by the thread with which they die, which runs the tests; a failure fails each of them.
class Servers : public testing::Environment {
 public:
  void SetUp() override { servers = std::make_unique<ZooKeeperEnsemble>(); }
  void TearDown() override { servers.reset(); }
};

const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new Servers);

}  // namespace

ZooKeeperEnsemble& ensemble() { return *servers; }

detail::ZooKeeperOptions fresh_cluster(Duration session_timeout) {
  static int clusters = 0;
  return {.quorum = ensemble().addresses(),
          .path = "/millrace/test-" + std::to_string(++clusters),
          .session_timeout = session_timeout};
}

Coordinator coordinator_of(const detail::ZooKeeperOptions& options, const Logger& log) {
  auto election = std::make_unique<detail::ZooKeeperElection>(options, log);
  auto documents = std::make_shared<detail::ZooKeeperDocumentStore>(*election);
  return {.election = std::move(election), .documents = std::move(documents)};
}

std::shared_ptr<detail::ZooKeeperSession> session_of(const detail::ZooKeeperOptions& options) {
  auto session = *detail::ZooKeeperSession::open(options, [] {});
  EXPECT_TRUE(eventually([&] { return session->await_connection().has_value(); }));
  return session;
}

bool eventually(const std::function<bool()>& so) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

class LogLines::Sink final : public LogSink {
 public:
  explicit Sink(std::shared_ptr<Kept> kept) : kept_(std::move(kept)) {}
  void write(const LogEntry& entry) override {
    const std::lock_guard lock(kept_->mutex);
    kept_->lines.push_back(format_text(entry));
  }

 private:
  std::shared_ptr<Kept> kept_;
};

Logging LogLines::make_logging(std::shared_ptr<Kept> kept) {
  return Logging(LogLevel::kInfo, std::make_unique<Sink>(std::move(kept)));
}

bool LogLines::has(const std::vector<std::string>& parts) const {
  return eventually([&] {
    const std::lock_guard lock(kept_->mutex);
    return std::ranges::any_of(kept_->lines, [&](const std::string& line) {
      return std::ranges::all_of(
          parts, [&](const std::string& part) { return line.find(part) != std::string::npos; });
    });
  });
}

}  // namespace millrace::test
