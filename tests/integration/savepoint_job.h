// A job with every kind of state, and where it may run: for tests of savepoints.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "integration/jobs.h"
#include "millrace/actors/embedded_cluster.h"
#include "millrace/connect.h"
#include "millrace/coordination/directory_savepoints.h"
#include "millrace/coordination/local_metadata_store.h"
#include "millrace/millrace.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "support/temporary_directory.h"

namespace millrace::test_support {

struct Event {
  std::int64_t key = 0;
  std::int64_t number = 0;
  Timestamp at{};
};

// What a key's state says after an event.
struct Seen {
  std::int64_t key = 0;
  std::int64_t count = 0;
  std::int64_t listed = 0;
  std::int64_t mapped = 0;
  std::int64_t most = 0;
  bool timer = false;
};

// Emits the numbers up to `end`, a millisecond apart, and then waits, or ends.
class Numbers : public Source<Event> {
 public:
  struct Until {
    std::int64_t end = 0;
    bool waits = true;
    std::shared_ptr<std::atomic<std::int64_t>> emitted;
  };
  explicit Numbers(Until until) : until_(std::move(until)) {}

  Result<Poll> poll(Collector<Event>& out) override {
    if (*next_ >= until_.end) {
      if (until_.emitted) *until_.emitted = *next_;
      return until_.waits ? Poll::idle_for(std::chrono::milliseconds(1)) : Poll::end();
    }
    out.emit({*next_ * 7 % kKeys, *next_, Timestamp(Duration(*next_))});
    ++next_.edit();
    return Poll::more();
  }

  static constexpr std::int64_t kKeys = 50;

 private:
  Until until_;
  SourceState<std::int64_t> next_{*this, "next"};
};

struct Most {
  std::int64_t number = 0;
  void add(std::int64_t other) { number = std::max(number, other); }
};

class Everything : public KeyedProcess<std::int64_t, Event, Seen> {
 public:
  void process(const Event& event, Context& context, Collector<Seen>& out) override {
    list_.add(event.number);
    map_.edit(std::to_string(event.number % 3)) += 1;
    most_.add(event.number);
    context.timers().at(Timestamp(Duration(1'000'000 + event.key)));
    out.emit(seen(event.key, ++count_.edit(), false));
  }
  void on_timer(Timestamp, Context& context, Collector<Seen>& out) override {
    out.emit(seen(context.key(), count_.value_or(0), true));
  }

 private:
  Seen seen(std::int64_t key, std::int64_t count, bool timer) const {
    std::int64_t mapped = 0;
    for (const auto& [name, times] : map_) mapped += times;
    return {key, count, static_cast<std::int64_t>(list_.size()), mapped, most_->number, timer};
  }

  ValueState<std::int64_t> count_{*this, "count"};
  ListState<std::int64_t> list_{*this, "list"};
  MapState<std::string, std::int64_t> map_{*this, "map"};
  AggregatingState<Most> most_{*this, "most"};
};

enum class Backend : std::uint8_t { kMemory, kRocksDb };

// A place where a job keeps what survives it, and starts on: each start is like a new process.
class Home {
 public:
  explicit Home(std::string directory, Backend backend) : directory_(std::move(directory)) {
    if (backend == Backend::kMemory) {
      states_ = std::make_unique<detail::MemoryStateStoreFactory>();
    } else {
      auto opened = detail::RocksDbStoreFactory::open(directory_ + "/local");
      EXPECT_TRUE(opened) << opened.error().message();
      states_ = *std::move(opened);
    }
  }

  detail::ExecutionSettings settings(detail::RestoreFrom restore = {}) {
    return {.checkpoints = {.interval = std::chrono::milliseconds(20)},
            .checkpoint_store = &checkpoints_,
            .metadata_store = &metadata_,
            .state_stores = states_.get(),
            .savepoints = &savepoints_,
            .restore = std::move(restore)};
  }
  detail::RealFileSystem& files() { return files_; }
  detail::DirectorySavepoints& savepoints() { return savepoints_; }
  detail::Cluster& cluster() { return cluster_; }

 private:
  const std::string directory_;
  detail::RealFileSystem files_;
  detail::DirectoryCheckpointStore checkpoints_{files_, directory_};
  detail::LocalMetadataStore metadata_{files_, directory_};
  detail::DirectorySavepoints savepoints_{files_};
  std::unique_ptr<detail::StateStoreFactory> states_;
  Logging logging_{LogLevel::kOff};
  detail::EmbeddedCluster cluster_{{.threads = 2, .seed = 1}, logging_};  // ends first
};

}  // namespace millrace::test_support
