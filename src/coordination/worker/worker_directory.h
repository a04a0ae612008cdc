// The directory of a worker, which no other process uses:
//
//   DIR/.worker.lock               held while the worker runs
//   DIR/worker-id                  its name, which it keeps
//   DIR/registered                 the number of its process, while a leader knows it
//   DIR/artifacts                  executables (artifact_cache.h)
//   DIR/hosts/JOB-NUMBER/          of a host that runs: launch, crash-page, local (its state)
//   DIR/copies/JOB/                of the checkpoints of a job that had hosts here (local_copies.h)
//   DIR/logs/JOB-NUMBER.log        what the host's process has said; it stays for a while
//
// Calls block, and may come from any thread; those for one host one at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "millrace/coordination/worker/host_launch.h"
#include "millrace/coordination/worker_protocol.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/state/files/file_system.h"
#include "millrace/state/files/real_file_system.h"

namespace millrace::detail {

// However much is asked for: it crosses a link in one frame.
constexpr std::uint64_t kMostLogBytes = 4 * 1'024 * 1'024;

class WorkerDirectory {
 public:
  using Path = std::filesystem::path;

  // Removes what hosts of an earlier worker have left: they ended with it.
  static Result<WorkerDirectory> open(const Path& directory);

  // The name that the worker has in its cluster, if it was not given one.
  Result<std::string> worker_id();

  // For whoever waits for a worker that was started (millrace cluster start).
  void note_registered(bool registered) const;
  static Path registered_file(const Path& directory) { return directory / "registered"; }

  Path artifacts() const { return directory_ / "artifacts"; }
  Path log_file(const HostId& host) const { return logs() / (to_string(host) + ".log"); }
  Path launch_file(const HostId& host) const { return folder(host) / "launch"; }
  Path crash_page(const HostId& host) const { return folder(host) / "crash-page"; }
  Path local_state(const HostId& host) const { return folder(host) / "local"; }
  Path copies(const std::string& job) const { return directory_ / "copies" / job; }

  // Makes the host's folder, and writes the launch, to which it adds the host's paths.
  Status prepare(HostLaunch launch);
  void remove(const HostId& host);

  // The end of what each of the job's hosts has said, with their names.
  std::string end_of_logs(const std::string& job, std::uint64_t bytes_each) const;
  void remove_old_logs(const std::set<HostId>& in_use, Timestamp before);
  // Of jobs that have no host here and have not changed them since.
  void remove_old_copies(const std::set<HostId>& in_use, Timestamp before);

 private:
  explicit WorkerDirectory(const Path& directory);

  Path logs() const { return directory_ / "logs"; }
  Path folder(const HostId& host) const { return directory_ / "hosts" / to_string(host); }

  Path directory_;
  std::unique_ptr<RealFileSystem> files_;
  std::unique_ptr<FileLock> lock_;
};

// At most so many bytes from the end of a file, from the beginning of a line on if it has more than
// one; nothing if it cannot be read.
std::string end_of_file(const std::filesystem::path& file, std::uint64_t bytes);

}  // namespace millrace::detail
