#include "coordination/zookeeper/candidate_process.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <stdexcept>

namespace millrace::test {

CandidateProcess::CandidateProcess(const detail::ZooKeeperOptions& options,
                                   const std::string& address) {
  int input[2];
  int output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make a pipe");
  }
  input_ = input[1];
  output_ = output[0];
  process_ = std::make_unique<Child>(
      std::vector<std::string>{ZOOKEEPER_CANDIDATE, options.quorum, options.path,
                               std::to_string(options.session_timeout.count()), address},
      input[0], output[1]);
  close(input[0]);
  close(output[1]);
}

CandidateProcess::~CandidateProcess() {
  process_->kill();
  close(input_);
  close(output_);
}

void CandidateProcess::tell(const std::string& line) const {
  const std::string bytes = line + "\n";
  if (write(input_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("cannot write to a candidate");
  }
}

std::string CandidateProcess::await_line(const std::string& start,
                                         std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    for (std::size_t at; (at = unread_.find('\n')) != std::string::npos;) {
      const std::string line = unread_.substr(0, at);
      unread_.erase(0, at + 1);
      if (line.starts_with(start)) return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd output{.fd = output_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&output, 1, static_cast<int>(left.count())) <= 0) return {};
    char buffer[4096];
    const ssize_t size = read(output_, buffer, sizeof buffer);
    if (size <= 0) return {};
    unread_.append(buffer, static_cast<std::size_t>(size));
  }
}

}  // namespace millrace::test
