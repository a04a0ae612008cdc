// A process's part in a job that has several hosts: its tasks there, and the links to the others.
// It finds the job's coordinator at an address, and ends when that is gone, unless it is to outlive
// it.
//
// The process has the job's code, and the plan that its coordinator has too. The job's stores must
// outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "millrace/actors/linked_process.h"
#include "millrace/coordination/worker/crash_page.h"
#include "millrace/core/log.h"
#include "millrace/core/result.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/execution_settings.h"
#include "millrace/plan/job_code.h"

namespace millrace::detail {

struct HostedJob {
  JobId id{};
  ExecutionPlan plan;
  JobCode code;
  ExecutionSettings execution = {};   // its stores are those of this process
  CrashPage* crash_page = nullptr;    // on which its tasks note what they are at; it outlives them
  bool outlives_coordinator = false;  // follow() is called when there is another
  std::uint64_t mark = 0;             // of the plan, as coordinators know it
};

class JobHost {
 public:
  JobHost(const LinkedProcess& process, HostedJob job, const LinkAddress& coordinator,
          const Logging& logging);
  // As if the process died: tasks are gone where they are, and nobody is told.
  ~JobHost();

  // Another process has the job from now on; of several the one of the latest epoch.
  void follow(LeaderEpoch epoch, const LinkAddress& coordinator);

  // Waits up to that long for its end; returns whether it came.
  bool wait_for(std::chrono::milliseconds time);
  // After the end: why it came, which is never without a reason.
  Error reason() const;

  // Of its links.
  std::uint64_t bytes_sent() const;
  std::uint64_t frames_of_ended_attempts() const;

 private:
  struct System;  // keeps CAF out of this header
  std::unique_ptr<System> system_;
};

}  // namespace millrace::detail
