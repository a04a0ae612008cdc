// The keyed state of one operator instance: its declared states, and how they get into checkpoints
// and come back.
//
// Live rows are in memory. A checkpoint freezes them by a counter (RowTable), and the task saves
// what was changed since the last one piece by piece, between elements; the saved rows go to the
// writer, which puts them into the database in order, on another thread, and then the database into
// the checkpoint. What is restored stays in the database until it is asked for.
//
// One thread, the task's; done() of a checkpoint comes from the writer's.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/records/key_group.h"
#include "millrace/core/time.h"
#include "millrace/state/keyed_backend.h"
#include "millrace/state/row_scan.h"
#include "millrace/state/state_environment.h"
#include "millrace/state/state_part.h"
#include "millrace/state/state_writer.h"

namespace millrace::detail {

// What KeyedState knows of its operator instance.
struct KeyedPlace {
  std::string name;
  KeyGroupRange key_groups;
  std::uint32_t max_parallelism = 128;
  const Clock* clock = nullptr;
  StateEnvironment* environment = nullptr;
};

// The hashes of the keys in these groups.
HashRange hashes_of(KeyGroupRange groups, std::uint32_t max_parallelism);

class KeyedState final : public KeyedBackend {
 public:
  KeyedState();
  KeyedState(const KeyedState&) = delete;
  KeyedState& operator=(const KeyedState&) = delete;
  ~KeyedState() override;

  // Before open(), by each declared state; it outlives this.
  void add(StatePart& part) { parts_.push_back(&part); }
  bool empty() const { return parts_.empty(); }

  Status open(const KeyedPlace& place);

  void save_rows(const SavepointTarget& target) override { savepoint_ = target; }
  void freeze(const CheckpointName& checkpoint, Done done) override;
  Result<bool> work() override;
  void abandon(const CheckpointName& checkpoint) override;
  void leave_out(const CheckpointName& checkpoint) override;
  void completed(const CheckpointName& checkpoint) override;
  bool congested() override;
  void report(StateMetrics& metrics) override;

  // Between groups of records: evicts what is too much, and forgets what has expired. Places
  // change.
  void tidy_up() {
    if (memory_ != 0) evict();
    if (may_load_) learn_some();
    if (expires_) sweep();
  }

  std::size_t bytes_held() const;
  std::size_t rows_held() const;

  // --- for the declared states ---

  // The bytes that a row's key begins with: so the rows of a state lie together, in the order of
  // hashes.
  static void begin_key(std::string& key, std::uint64_t hash, std::uint32_t id);
  static std::string prefix_of(std::uint32_t id);  // of all rows of a state
  static constexpr std::size_t kPrefixBytes = 2;
  static constexpr std::size_t kHashBytes = 4;               // follow it
  static std::uint32_t id_in(std::string_view key);          // of the state, in a row's key
  static std::uint64_t upper_half_in(std::string_view key);  // of the hash, in a row's key
  // Where the rows of a state with that upper half of their hashes, and those behind, begin.
  static std::string place_of(std::string_view prefix, std::uint64_t upper_half);
  // Where the keys that begin so end.
  static std::string end_of(std::string_view prefix);

  // Where rows go as they were frozen; and where they go that are not in memory any more, removed
  // or evicted.
  RowBuffer& images() { return images_; }
  RowBuffer& changes() { return changes_; }
  // What cannot be encoded or read fails the task, before any checkpoint: a row would count as
  // saved, or as if there were none.
  void fail(Status status) {
    if (failure_) failure_ = std::move(status);
  }

  // Whether the database may have rows that are not in memory.
  bool may_load() const { return may_load_; }
  // Calls found(i, value) for each key that the database has a row of, and that is not removed.
  Status load(std::span<const std::string> keys,
              const std::function<void(std::size_t, std::string_view)>& found);
  using Found = std::function<Status(std::string_view, std::string_view)>;
  // Calls found(key, value) for each row of a collection, whose keys begin so.
  Status load_group(std::string_view group, const Found& found);
  // The same for all rows of a state, of which there may be very many.
  Status load_all(std::string_view prefix, const Found& found);
  std::unique_ptr<RowScan> scan_all(std::string_view prefix);

  void count_lookups(std::size_t keys) { lookups_ += keys; }

  // The wall clock, read once for a group of records.
  Timestamp now() const { return now_; }
  void read_clock() {
    if (place_.clock != nullptr) now_ = place_.clock->now();
  }

 private:
  using ScanRange =
      std::function<std::unique_ptr<StateScan>(std::string_view first, std::string_view end)>;
  struct Frozen {
    CheckpointName checkpoint;
    std::optional<SavepointTarget> savepoint;
    Done done;
    std::size_t part = 0;  // the next one to save
  };
  // What the writer was given and has perhaps not written yet.
  struct HandedOver {
    std::shared_ptr<RowBuffer> rows;
    std::uint64_t batch;
  };

  Done timed(Done done) const;
  Status attach_parts();
  std::function<RowTest()> test_of_expiry() const;
  void limit_memory();
  std::size_t bytes_restored() const;
  Status restore();
  CheckpointStore& origin() const;
  Status copy_clipped(const KeyedSnapshot& from, StateStore& to);
  Status copy_rows(const std::unique_ptr<StateScan>& scan, StateStore& to);
  void learn(std::string_view key);
  void learn_some();
  void learn_some(StatePart& part);
  Status copy_range(const KeyedSnapshot& from, HashRange wanted, const ScanRange& scan,
                    StateStore& to);
  Result<KeyedSnapshot> keep_nowhere() const;
  void hand_over(RowBuffer& rows);
  void hand_over_changes();
  std::size_t most_waiting() const;  // bytes for the writer
  std::size_t bytes_handed_over();
  std::size_t bytes_frozen();
  void save_in_order();
  bool writer_is_behind();
  void forget_written();
  void finish_frozen();
  Result<bool> wait_for_writer();
  void evict();
  void sweep();
  std::optional<StateRow> find_unwritten(std::string_view key);

  KeyedPlace place_;
  HashRange range_;
  Timestamp now_ = kMinTimestamp;
  std::vector<StatePart*> parts_;
  std::vector<StateDescription> dropped_;  // of states that are declared no more
  std::shared_ptr<StateWriter> writer_;
  std::optional<SavepointTarget> savepoint_;  // of what is frozen next
  std::optional<Frozen> frozen_;
  RowBuffer images_;    // of what is frozen and was touched since
  RowBuffer in_order_;  // of what is frozen: saved in the order of its keys
  RowBuffer changes_;   // since then, of rows that are not in memory: removed or evicted
  std::deque<HandedOver> handed_over_;
  RowBuffer spare_;  // one that was written: its memory is used again
  std::size_t handed_over_bytes_ = 0;
  std::uint64_t batch_ = 0;                                // the number of the last hand-over
  std::optional<std::chrono::nanoseconds> refused_since_;  // while it waits for a failing writer
  std::chrono::nanoseconds try_again_at_{0};
  std::size_t memory_ = 0;        // 0: no limit
  std::size_t hand_over_bytes_;   // at once: large files are merged less often
  bool expires_ = false;          // some state does
  std::size_t next_evicted_ = 0;  // the part whose turn it is
  bool may_load_ = false;
  // Since the last report.
  std::uint64_t lookups_ = 0;  // of keys
  std::uint64_t asked_ = 0;    // of which so many asked the database
  std::uint64_t evicted_ = 0;  // rows
  Status failure_;
};

}  // namespace millrace::detail
