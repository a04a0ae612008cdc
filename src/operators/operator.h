// The contract of every operator: plain C++ that takes batches and gives batches. It knows no
// thread, actor or channel; the task that runs its chain calls it, one call at a time.
//
// An operator is resumable. It fills its outputs until they are full() and then returns kMore; it
// is called again with the same arguments once they were emptied. What it needs to go on is its
// state: between any two calls it can be snapshotted, and a new instance that restores the snapshot
// continues in its place. An operator that gives at most one record for each record that it takes,
// and none that holds more than it took, may ignore full(): the outputs then grow beyond their
// limit by one input batch at most.
//
// The order of calls: restore (where a job goes on from a checkpoint), open, then process,
// on_watermark and on_timer as elements arrive, finish once all inputs ended, close. flush is
// called when the input runs empty, and snapshot between any two elements.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "millrace/core/cache_line.h"
#include "millrace/core/ids.h"
#include "millrace/core/records/batch.h"
#include "millrace/core/records/key_group.h"
#include "millrace/core/result.h"
#include "millrace/state/keyed_backend.h"
#include "millrace/state/snapshot.h"
#include "millrace/state/state_environment.h"

namespace millrace {
class Logger;
}

namespace millrace::detail {

class WatermarkGenerator;

enum class Progress : std::uint8_t {
  kDone,  // the call's work is done
  kMore,  // the outputs are full: empty them and call again
};

// Where an operator's records go: output 0, then one for each side output that somebody reads.
class Outputs {
 public:
  // The tags name the side outputs, in the order of their numbers from 1.
  Outputs(std::vector<BatchPtr> batches, std::vector<std::string> tags)
      : batches_(std::move(batches)), tags_(std::move(tags)) {
    // The next operator finds the records in the nearest cache.
    if (batches_.empty()) return;
    limit_ =
        std::clamp<std::size_t>(kCacheBytes / batches_.front()->record_bytes(), 128, kBatchRecords);
  }

  template <class T>
  Batch<T>& get(std::size_t output) {
    return static_cast<Batch<T>&>(*batches_[output]);
  }
  BatchPtr& batch(std::size_t output) { return batches_[output]; }
  std::size_t count() const { return batches_.size(); }
  const std::vector<std::string>& tags() const { return tags_; }

  bool full() const {
    for (const BatchPtr& batch : batches_) {
      if (batch->size() >= limit_ || batch->bytes() >= kBatchBytes) return true;
    }
    return false;
  }
  // The same for one output whose type is known: cheap enough for every record.
  template <class T>
  bool full(const Batch<T>& out) const {
    return out.size() >= limit_ || out.bytes() >= kBatchBytes;
  }
  std::size_t records() const {
    std::size_t records = 0;
    for (const BatchPtr& batch : batches_) records += batch->size();
    return records;
  }
  bool empty() const { return records() == 0; }

  // Makes room again; a batch that somebody still reads is left to them.
  void clear() {
    for (BatchPtr& batch : batches_) {
      if (batch.unique()) {
        batch->clear();
      } else {
        batch = batch->make_empty();
      }
    }
  }
  // For tests: side outputs that nobody reads are kept too.
  void keep_unread() { keeps_unread_ = true; }
  bool keeps_unread() const { return keeps_unread_; }
  std::size_t add(std::string_view tag, BatchPtr batch) {
    batches_.push_back(std::move(batch));
    tags_.emplace_back(tag);
    return batches_.size() - 1;
  }
  std::size_t limit() const { return limit_; }
  void set_limit(std::size_t records) { limit_ = records; }

 private:
  std::vector<BatchPtr> batches_;
  std::vector<std::string> tags_;
  std::size_t limit_ = kBatchRecords;
  bool keeps_unread_ = false;
};

// A batch on its way through an operator, and how far the operator has read it.
struct Cursor {
  AnyBatch* batch = nullptr;
  std::size_t next = 0;  // the first row that is not processed yet
  bool shared = false;   // others read the batch too: copy from it, do not move

  bool done() const { return next == batch->size(); }
  template <class T>
  Batch<T>& as() const {
    return static_cast<Batch<T>&>(*batch);
  }
};

// When an operator may emit: batch mode holds rolling results back until the end of the input.
enum class Emission : std::uint8_t { kEveryUpdate, kAtEnd };

// What an operator instance may know about its place.
struct OperatorContext {
  std::string name;
  OperatorId id{};
  bool named = false;  // by the user
  SubtaskIndex subtask;
  std::uint32_t parallelism = 1;
  KeyGroupRange key_groups;
  std::uint32_t max_parallelism = 128;
  Emission emission = Emission::kEveryUpdate;
  const Clock* clock = nullptr;
  StateEnvironment* state = nullptr;  // null: keyed state lives in memory only
  const Logger* log = nullptr;        // null: nobody listens
};

class alignas(kCacheLine) Operator {
 public:
  virtual ~Operator() = default;

  virtual Status open(const OperatorContext&) { return {}; }

  virtual Result<Progress> process(std::uint32_t input, Cursor& in, Outputs& out) = 0;

  // All further records are later than the watermark, unless they are late.
  virtual Result<Progress> on_watermark(Timestamp, Outputs&) { return Progress::kDone; }

  // The processing time that the operator asked for has come.
  virtual Result<Progress> on_timer(Timestamp, Outputs&) { return Progress::kDone; }

  // All inputs ended: emit what was held back.
  virtual Result<Progress> finish(Outputs&) { return Progress::kDone; }

  // The input ran empty: hand on what is buffered outside the outputs.
  virtual Status flush() { return {}; }

  virtual Status close() { return {}; }

  // What the operator holds besides its keyed state, at this point of the stream.
  virtual Status snapshot(Snapshot&) { return {}; }
  // After another parallelism: what has come together for this subtask, of all of them.
  virtual Status restore(const Snapshot&) { return {}; }

  // What makes the watermarks of its output, each to be taken behind what a call has put out; also
  // before the first call, since a restored operator repeats its last one. Null if those of its
  // input go on.
  virtual WatermarkGenerator* watermarks() { return nullptr; }

  // Its keyed state, from open() to close(); null if it has none.
  virtual KeyedBackend* keyed_backend() { return nullptr; }
};

// Makes an instance for each subtask and attempt; called from any thread.
using OperatorFactory = std::function<std::unique_ptr<Operator>()>;

}  // namespace millrace::detail
