// The commands of `millrace` against a server over a cluster in memory, in one process.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "millrace/tools/cluster_command.h"
#include "millrace/web/rest_server.h"
#include "support/memory_cluster_control.h"
#include "support/temporary_directory.h"

namespace millrace::test_support {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::unique_ptr<detail::RestServer> serve(detail::ClusterControl& control,
                                                 std::uint16_t port = 0) {
  auto server = detail::RestServer::start(control, {.port = port}, Logger());
  EXPECT_TRUE(server) << server.error().message();
  return *std::move(server);
}

class ClusterCommandTest : public testing::Test {
 protected:
  static constexpr const char* kId = "00000000000000000000000000000001";

  void SetUp() override { server_ = serve(control_); }

  void put_job(detail::JobPhase phase, std::string id = kId, std::string name = "fraud") {
    control_.put_job({.id = std::move(id),
                      .name = std::move(name),
                      .phase = phase,
                      .attempt = 1,
                      .parallelism = 2,
                      .tasks = {{"v1", "source", 2, {"worker-1", "worker-2"}}}});
  }

  // As `millrace WORDS --rest=...`.
  Outcome run(std::vector<std::string> words) {
    words.insert(words.begin() + 1, "--rest=" + server_->address());
    return run_as_it_is(words);
  }
  Outcome run_as_it_is(const std::vector<std::string>& words) {
    std::ostringstream out;
    std::ostringstream err;
    const auto code = run_cluster_command(words, {out, err, patience_});
    return {code.value_or(-1), out.str(), err.str()};
  }

  test::MemoryClusterControl control_;
  std::unique_ptr<detail::RestServer> server_;
  detail::RestPatience patience_{.whole = std::chrono::seconds(2),
                                 .pause = std::chrono::milliseconds(10),
                                 .answer = std::chrono::seconds(10)};
};

}  // namespace millrace::test_support
