// A leader that a test plays: a worker in this process registers with it over a real link, gets
// executables from it, and runs hosts that it asks for.
#pragma once

#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/links/link_fixture.h"
#include "millrace/actors/worker_process.h"
#include "millrace/coordination/submission.h"
#include "millrace/coordination/worker_codec.h"
#include "millrace/core/sha256.h"
#include "millrace/core/text.h"

namespace millrace::test_support {

inline const std::string kCluster = "default";

class ScriptedElection final : public detail::LeaderElection {
 public:
  void join(std::string, detail::LeadershipListener listener) override {
    listener_ = std::move(listener);
  }
  void resign() override { listener_ = nullptr; }

  void lead(std::uint64_t epoch, const std::string& address) {
    if (listener_) listener_(detail::LeaderKnown{LeaderEpoch(epoch), address});
  }

 private:
  detail::LeadershipListener listener_;
};

struct Executable {
  std::string content;
  std::string artifact;

  static Executable of(std::string content) {
    Sha256 hash;
    hash.add(content);
    return {std::move(content), hash.take()};
  }
  static Executable read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return of({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
  }
};

class ScriptedLeader {
 public:
  explicit ScriptedLeader(const std::string& identity = "leader")
      : process_(identity, {}, {.role = detail::Role::kCoordinator, .cluster = kCluster}),
        port_(process_.listen()) {}

  std::string links() const { return concat("127.0.0.1:", port_); }
  std::string address() const { return links() + " http://127.0.0.1:8081"; }

  void keep(const Executable& executable) { kept_[executable.artifact] = executable.content; }
  std::size_t parts_sent() const { return parts_sent_; }

  void tell(const detail::WorkerCommand& command) {
    if (link_) process_.send_frame(*link_, detail::FrameKind::kControl, *encode(command));
  }
  void tell_bytes(std::string_view bytes) {
    process_.send_frame(*link_, detail::FrameKind::kControl, bytes);
  }
  void cut() { process_.send(detail::CloseLink{*link_, unavailable("the test cuts the link")}); }

  // The next report of that kind; other reports before it are left out.
  template <class Report>
  std::optional<Report> next(std::chrono::milliseconds time = std::chrono::seconds(60)) {
    std::optional<Report> found;
    serve_until(
        [&] {
          while (!found && !heard_.empty()) {
            if (auto* wanted = std::get_if<Report>(&heard_.front())) found = std::move(*wanted);
            heard_.pop_front();
          }
          return found.has_value();
        },
        time);
    return found;
  }
  // Answers requests for executables meanwhile.
  template <class Condition>
  bool serve_until(Condition holds, std::chrono::milliseconds time = std::chrono::seconds(60)) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (const auto arrived = process_.next<detail::ControlArrived>(kPoll)) hear(*arrived);
    }
    return true;
  }
  bool hears_of_loss() { return process_.next<detail::LinkDown>().has_value(); }

 private:
  static constexpr std::chrono::milliseconds kPoll{10};

  void hear(const detail::ControlArrived& arrived) {
    link_ = arrived.link;
    Result<detail::WorkerReport> report = detail::decode_worker_report(arrived.frame.body());
    if (!report) return;
    if (const auto* fetch = std::get_if<detail::FetchArtifact>(&*report)) send_part(*fetch);
    heard_.push_back(*std::move(report));
  }
  void send_part(const detail::FetchArtifact& fetch) {
    const auto kept = kept_.find(fetch.artifact);
    if (kept == kept_.end()) {
      return tell(detail::ArtifactPart{fetch.artifact, fetch.offset, "", not_found("none here")});
    }
    ++parts_sent_;
    tell(detail::ArtifactPart{fetch.artifact, fetch.offset,
                              kept->second.substr(fetch.offset, detail::kArtifactPartBytes),
                              std::nullopt});
  }

  detail::LinkProcess process_;
  std::uint16_t port_;
  std::optional<detail::LinkId> link_;
  std::deque<detail::WorkerReport> heard_;
  std::map<std::string, std::string> kept_;
  std::size_t parts_sent_ = 0;
};

// What a program prints.
inline std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  char buffer[4'096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, got);
  }
  pclose(pipe);
  return output;
}

inline std::string in_command(const std::string& program,
                              const std::vector<std::string>& arguments) {
  std::string command = program;
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  return command;
}

inline detail::Submission submission_of(const std::string& program,
                                        std::vector<std::string> arguments) {
  arguments.push_back("--plan=submission");
  return *detail::decode_submission(output_of(in_command(program, arguments)), program);
}

}  // namespace millrace::test_support
