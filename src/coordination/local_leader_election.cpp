#include "millrace/coordination/local_leader_election.h"

#include <utility>

#include "millrace/coordination/local_document_store.h"
#include "millrace/core/text.h"

namespace millrace::detail {

LocalLeaderElection::LocalLeaderElection(FileSystem& files, std::filesystem::path directory,
                                         Logger log, Duration interval)
    : files_(files), directory_(std::move(directory)), log_(std::move(log)), interval_(interval) {}

LocalLeaderElection::~LocalLeaderElection() { LocalLeaderElection::resign(); }

void LocalLeaderElection::join(std::string address, LeadershipListener listener) {
  check(!thread_.joinable(), "an election was joined twice");
  address_ = std::move(address);
  listener_ = std::move(listener);
  thread_ = std::thread([this] { run(); });
}

void LocalLeaderElection::resign() {
  if (!thread_.joinable()) return;
  check(thread_.get_id() != std::this_thread::get_id(), "a listener called its election");
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void LocalLeaderElection::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    const Status looked = look();
    if (!looked) freeze(looked.error().message());
    lock.lock();
    ended_.wait_for(lock, interval_, [&] { return ending_; });
  }
  lock.unlock();
  depose("it has resigned");
}

void LocalLeaderElection::freeze(const std::string& why) {
  if (trouble_ != why) {
    trouble_ = why;
    log_.error("cannot take part in the election of a leader",
               {{"directory", directory_.native()}, {"cause", why}});
  }
  if (!std::exchange(frozen_, true)) listener_(Frozen{why});
}

Status LocalLeaderElection::look() {
  Result<LeaderRecord> leader = read_local_leader(files_, directory_);
  if (!leader) return leader.error();
  trouble_.clear();
  if (std::exchange(frozen_, false)) listener_(Thawed{});
  tell(*leader);
  return address_.empty() || lock_ != nullptr ? Status() : stand();
}

void LocalLeaderElection::tell(const LeaderRecord& leader) {
  const LeaderKnown known{LeaderEpoch(leader.epoch), leader.address};
  if (lock_ != nullptr && known.epoch != epoch_) {
    depose(concat("the coordinator at ", leader.address, " was elected, in epoch ", leader.epoch));
  }
  if (leader.epoch > 0 && known != known_) listener_(known_ = known);
}

// The epoch is raised under the lock of changes, so that none of an earlier leader is under way.
Status LocalLeaderElection::stand() {
  Status made = files_.make_directories(directory_);
  if (!made) return made;
  Result<std::unique_ptr<FileLock>> held =
      files_.lock(directory_ / ".leader.lock", WhenLocked::kFail);
  if (!held) return held.error();
  if (*held == nullptr) return {};
  const Result<std::unique_ptr<FileLock>> changes = lock_local_changes(files_, directory_);
  if (!changes) return changes.error();
  Result<LeaderRecord> leader = read_local_leader(files_, directory_);
  if (!leader) return leader.error();
  leader->epoch += 1;
  leader->address = address_;
  leader->candidate = files_.unique_name();
  const Result<std::string> bytes = encode_leader(*leader);
  if (!bytes) return bytes.error();
  Status written = replace_file(files_, directory_ / "leader", *bytes);
  if (!written) return written;
  lock_ = *std::move(held);
  epoch_ = LeaderEpoch(leader->epoch);
  tell(*leader);
  log_.info("this coordinator leads", {{"directory", directory_.native()}, {"epoch", epoch_}});
  listener_(Elected{epoch_});
  return {};
}

void LocalLeaderElection::depose(std::string why) {
  if (lock_ == nullptr) return;
  log_.warn("this coordinator leads no more",
            {{"directory", directory_.native()}, {"epoch", epoch_}, {"cause", why}});
  lock_.reset();
  listener_(Deposed{std::move(why)});
}

}  // namespace millrace::detail
