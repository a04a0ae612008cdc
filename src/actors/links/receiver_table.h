// Who gets the frames of which subtask. An attempt lives from its first receiver until it is
// closed; attempts of a job are numbered in the order in which they begin.
//
// Receivers exist before senders start. So a frame for a subtask that a live attempt does not have
// here, or for an attempt or a job that never began here, was misled; one for an attempt that is no
// more comes from a sender that has not been told yet, and is of no consequence.
#pragma once

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "millrace/actors/links/channel_frame.h"
#include "millrace/actors/links/frame.h"

namespace millrace::detail {

struct JobAttempt {
  JobId job;
  AttemptId attempt;

  friend auto operator<=>(const JobAttempt&, const JobAttempt&) = default;
};

// Whose a frame is: a subtask's own, or between it and the enumerator of its source.
struct Inbox {
  SubtaskId subtask;
  bool splits = false;

  friend auto operator<=>(const Inbox&, const Inbox&) = default;
};

template <class Receiver>
class ReceiverTable {
 public:
  void open(JobAttempt attempt, Inbox inbox, Receiver receiver) {
    live_[attempt].insert_or_assign(inbox, std::move(receiver));
    AttemptId& newest = newest_[attempt.job];
    newest = std::max(newest, attempt.attempt);
  }

  void close(JobAttempt attempt) { live_.erase(attempt); }

  enum class Verdict { kDeliver, kDrop, kMisled };
  struct Found {
    Verdict verdict;
    const Receiver* receiver = nullptr;  // if it is to be delivered
  };
  Found find(FrameKind kind, const ChannelHeader& header) const {
    const auto live = live_.find({header.job, header.attempt});
    if (live != live_.end()) {
      const auto found = live->second.find({header.to, kind == FrameKind::kSplit});
      if (found == live->second.end()) return {Verdict::kMisled};
      return {Verdict::kDeliver, &found->second};
    }
    const auto newest = newest_.find(header.job);
    const bool over = newest != newest_.end() && header.attempt <= newest->second;
    return {over ? Verdict::kDrop : Verdict::kMisled};
  }

 private:
  std::map<JobAttempt, std::map<Inbox, Receiver>> live_;
  std::unordered_map<JobId, AttemptId> newest_;
};

}  // namespace millrace::detail
