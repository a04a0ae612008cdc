#include "millrace/launch/job_watch.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/core/units.h"
#include "millrace/launch/signals.h"
#include "millrace/launch/status_line.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

// Ends the program though the job has not: its threads are lost to user code or to a full pipe.
[[noreturn]] void give_up(Duration timeout) {
  const std::string said =
      concat("the job did not stop within ", to_string(timeout),
             " of the signal; ending without it (task.cancellation.timeout)\n");
  std::ignore = write(STDERR_FILENO, said.data(), said.size());
  _exit(128 + stop_signal());
}

// A folder that is not there yet: savepoint-20261121T160000Z, perhaps with a number behind it.
std::string new_folder(const std::string& directory) {
  std::string time;
  append_iso8601(time, SystemClock().now());
  time = time.substr(0, time.find('.'));
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  const std::string first = concat("savepoint-", time, "Z");
  std::filesystem::path path = std::filesystem::path(directory) / first;
  std::error_code ignored;
  for (int i = 2; std::filesystem::exists(path, ignored); ++i) {
    path = std::filesystem::path(directory) / concat(first, "-", i);
  }
  return path;
}

class Watch {
 public:
  Watch(detail::RunningJob& job, const WatchSettings& settings) : job_(job), settings_(settings) {}

  Status run() {
    while (!job_.wait_for(100ms)) {
      look_at_savepoint();
      look_at_signals();
      if (pending_ && stop_since_ && Clock::now() > *stop_since_ + patience()) abandon();
      if (stopping_since_ && Clock::now() > *stopping_since_ + settings_.cancellation_timeout) {
        give_up(settings_.cancellation_timeout);
      }
      line_.update(job_.progress());
    }
    look_at_savepoint();
    line_.clear();
    return job_.result();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // What the job's threads say of a savepoint.
  struct Answer {
    std::mutex mutex;
    std::optional<Status> status;
  };
  struct Pending {
    std::string path;
    detail::AfterSavepoint then;
    std::shared_ptr<Answer> answer;
  };

  void look_at_signals() {
    if (stop_signal() != 0 && !stop_since_) stop_since_ = Clock::now();
    if (stop_since_ && !stopping_since_ && !pending_) stop();
    const int asked = savepoint_signals();
    if (asked == heeded_ || pending_ || stopping_since_) return;
    heeded_ = asked;
    take_savepoint(detail::AfterSavepoint::kGoOn);
  }

  void stop() {
    if (settings_.on_stop && !std::exchange(tried_to_save_, true)) {
      return take_savepoint(*settings_.on_stop);
    }
    stopping_since_ = Clock::now();
    job_.cancel();
  }

  void take_savepoint(detail::AfterSavepoint then) {
    pending_ = Pending{new_folder(settings_.savepoint_directory), then, std::make_shared<Answer>()};
    job_.savepoint({pending_->path, then}, [answer = pending_->answer](Status status) {
      const std::lock_guard lock(answer->mutex);
      answer->status = std::move(status);
    });
  }

  // Of a savepoint that is under way when the job is to stop.
  Duration patience() const {
    return settings_.on_stop ? settings_.savepoint_timeout : settings_.cancellation_timeout;
  }

  // A job whose tasks fail again and again may never take it.
  void abandon() {
    line_.clear();
    std::cerr << settings_.name << ": savepoint " << pending_->path << " was not complete within "
              << to_string(patience()) << " of the signal; stopping without it" << std::endl;
    pending_.reset();
    tried_to_save_ = true;
    stop();
  }

  void look_at_savepoint() {
    if (!pending_) return;
    std::optional<Status> status;
    {
      const std::lock_guard lock(pending_->answer->mutex);
      status = pending_->answer->status;
    }
    if (!status) return;
    const Pending done = *std::exchange(pending_, std::nullopt);
    line_.clear();
    if (*status) {
      std::cerr << settings_.name << ": savepoint " << done.path << std::endl;
    } else {
      std::cerr << settings_.name << ": " << status->error().message() << std::endl;
    }
    if (*status && done.then != detail::AfterSavepoint::kGoOn) stopping_since_ = Clock::now();
  }

  detail::RunningJob& job_;
  const WatchSettings& settings_;
  StatusLine line_;
  std::optional<Pending> pending_;                   // a savepoint under way
  int heeded_ = 0;                                   // signals that asked for one
  bool tried_to_save_ = false;                       // before stopping
  std::optional<Clock::time_point> stop_since_;      // when the signal was seen
  std::optional<Clock::time_point> stopping_since_;  // when the job was told
};

}  // namespace

Status watch(detail::RunningJob& job, const WatchSettings& settings) {
  return Watch(job, settings).run();
}

}  // namespace millrace
