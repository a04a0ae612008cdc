// The one who writes to an operator instance's database: changes in the order in which they are
// handed over, and between them the beginning of checkpoints, all on an executor. What a checkpoint
// consists of is uploaded beside the changes that come behind it, one checkpoint after the other.
// Shared by the task and the work under way, so that the database outlives both; of the
// environment, which is the task's, it keeps only what outlives tasks.
//
// What cannot be written is kept, and tried again with what is written next, or when somebody waits
// for it: a full disk fails a checkpoint and loses nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "millrace/core/executor.h"
#include "millrace/state/keyed_backend.h"
#include "millrace/state/row_buffer.h"
#include "millrace/state/savepoint/savepoint_target.h"
#include "millrace/state/state_environment.h"

namespace millrace::detail {

class StateWriter : public std::enable_shared_from_this<StateWriter> {
 public:
  StateWriter(const StateEnvironment& environment, std::string name);
  ~StateWriter();

  // Before all else: which rows the database need not keep, as StateStore has it.
  void forget_useless(std::function<RowTest()> make_test) { make_test_ = std::move(make_test); }
  // Before anything is written: goes on with a database that exists.
  void adopt(std::unique_ptr<StateStore> store, std::vector<StoredFile> base);

  // The database, for reading; null before the first write.
  StateStore* store() const { return readable_.load(std::memory_order_acquire); }

  // Takes changes; all of number `batch` and below are in the database once written() says so.
  void write(std::shared_ptr<const RowBuffer> rows, std::uint64_t batch);
  std::uint64_t written() const { return written_.load(std::memory_order_acquire); }

  // Why the last attempt to write failed, if it did; and another attempt.
  std::optional<Error> failure() const;
  void try_again();

  // The rows of a savepoint hold `max_parallelism` key groups.
  struct Savepoint {
    SavepointTarget target;
    std::uint32_t max_parallelism = 128;
  };
  // Everything that was handed over before becomes part of the checkpoint, and of the savepoint
  // that it is too.
  void checkpoint(CheckpointName name, KeyedSnapshot snapshot, std::optional<Savepoint> savepoint,
                  KeyedBackend::Done done);
  // Nobody waits for it any more.
  void give_up_checkpoint() { wanted_.store(0, std::memory_order_relaxed); }
  // The checkpoint has no files of it.
  void leave_out(CheckpointName name);
  // The files of a checkpoint that is complete need not be uploaded again.
  void completed(CheckpointName name);

  // How long the last checkpoint took; the bytes of all its files; and of those uploaded since this
  // was last asked.
  void note_time(std::chrono::nanoseconds time) { checkpoint_time_ = time.count(); }
  std::int64_t checkpoint_nanoseconds() const { return checkpoint_time_; }
  std::uint64_t checkpoint_bytes() const { return checkpoint_bytes_; }
  std::uint64_t take_uploaded_bytes() { return uploaded_bytes_.exchange(0); }

 private:
  struct Taken {
    std::shared_ptr<const RowBuffer> rows;
    std::uint64_t batch;
  };

  struct Upload;

  Status write_all();
  Status write_waiting();
  Status begin(Upload& upload, const std::optional<Savepoint>& savepoint);
  void upload_some(std::shared_ptr<Upload> upload);
  Result<bool> upload_file(Upload& upload);
  void take_files(Upload& upload);
  void count(std::span<const StoredFile> base, std::span<const StoredFile> files);
  std::vector<StoredFile> base() const;

  StateStoreFactory& stores_;
  CheckpointStore* const checkpoints_;
  const std::string name_;
  std::function<RowTest()> make_test_;
  SerialExecutor serial_;
  SerialExecutor uploads_;
  std::atomic<StateStore*> readable_{nullptr};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::int64_t> checkpoint_time_{0};
  std::atomic<std::uint64_t> checkpoint_bytes_{0};
  std::atomic<std::uint64_t> uploaded_bytes_{0};
  std::atomic<std::uint64_t> wanted_{0};  // id of the checkpoint that somebody waits for

  // On serial_ alone.
  std::unique_ptr<StateStore> store_;
  std::deque<Taken> unwritten_;

  mutable std::mutex mutex_;
  std::optional<Error> failure_;
  std::vector<StoredFile> base_;  // files of the last complete checkpoint
  std::vector<std::pair<CheckpointName, std::vector<StoredFile>>> pending_;
};

}  // namespace millrace::detail
