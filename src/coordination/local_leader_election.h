// The election among the processes of one machine: whoever holds a lock in a directory leads. The
// lock is the process's, so a process that dies is succeeded at once, and one that is stopped not
// at all. The `leader` file says who leads; LocalDocumentStore, over the same directory, asks it.
//
// It works on a thread of its own, which looks at the directory now and then and calls the
// listener.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "millrace/coordination/leader_election.h"
#include "millrace/coordination/leader_format.h"
#include "millrace/core/log.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class LocalLeaderElection final : public LeaderElection {
 public:
  LocalLeaderElection(FileSystem& files, std::filesystem::path directory, Logger log = {},
                      Duration interval = Duration(100));
  ~LocalLeaderElection() override;

  void join(std::string address, LeadershipListener listener) override;
  void resign() override;

 private:
  void run();
  Status look();
  Status stand();
  void tell(const LeaderRecord& leader);
  void depose(std::string why);
  void freeze(const std::string& why);

  FileSystem& files_;
  const std::filesystem::path directory_;
  const Logger log_;
  const Duration interval_;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;

  // The thread's own.
  std::string address_;
  LeadershipListener listener_;
  bool frozen_ = true;
  std::string trouble_;  // as it was last logged
  LeaderKnown known_;
  std::unique_ptr<FileLock> lock_;  // while it leads
  LeaderEpoch epoch_;

  std::thread thread_;
};

}  // namespace millrace::detail
