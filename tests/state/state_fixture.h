// Keyed state without an operator: one key at a time, checkpoints, and other instances that go on
// from them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/state_owner.h"
#include "millrace/testing/manual_clock.h"

namespace millrace::detail {

// A store in memory that counts who asks it.
class CountingStores final : public StateStoreFactory {
 public:
  Result<std::unique_ptr<StateStore>> make(std::string_view name) override {
    return counting(inner_.make(name));
  }
  Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                              std::span<const StoredFile> files,
                                              CheckpointStore& from) override {
    return counting(inner_.restore(name, files, from));
  }

  std::size_t asked = 0;                                                 // for rows and collections
  std::size_t written = 0;                                               // rows
  std::function<void(const StateRow&)> on_row = [](const StateRow&) {};  // that is written
  bool forgets = false;                                                  // what is useless, at once
  std::size_t forgotten = 0;
  std::function<Status()> refuse = [] { return Status(); };  // asked before each read

 private:
  class Counting final : public StateStore {
   public:
    Counting(std::unique_ptr<StateStore> inner, CountingStores& all)
        : inner_(std::move(inner)), all_(all) {}
    Status get(std::span<const std::string_view> keys,
               const std::function<void(std::size_t, std::string_view)>& found) override {
      all_.asked += keys.size();
      if (Status refused = all_.refuse(); !refused) return refused;
      return inner_->get(keys, [&](std::size_t i, std::string_view value) {
        if (!is_useless(keys[i], value)) found(i, value);
      });
    }
    std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) override {
      ++all_.asked;
      return std::make_unique<Scan>(inner_->scan(first, end), *this, all_.refuse());
    }
    void forget_useless(std::function<RowTest()> make_test) override {
      make_test_ = std::move(make_test);
    }
    bool is_useless(std::string_view key, std::string_view value) {
      const bool useless = all_.forgets && make_test_ && make_test_()(key, value);
      if (useless) ++all_.forgotten;
      return useless;
    }
    Status ingest(std::span<const StateRow> rows) override {
      all_.written += rows.size();
      std::ranges::for_each(rows, all_.on_row);
      return inner_->ingest(rows);
    }
    Result<std::unique_ptr<StateUpload>> begin_upload(UploadTarget target) override {
      return inner_->begin_upload(std::move(target));
    }

   private:
    class Scan final : public StateScan {
     public:
      Scan(std::unique_ptr<StateScan> inner, Counting& store, Status refused)
          : inner_(std::move(inner)), store_(store), refused_(std::move(refused)) {}
      bool next() override {
        while (refused_ && inner_->next()) {
          if (!store_.is_useless(key(), value())) return true;
        }
        return false;
      }
      std::string_view key() const override { return inner_->key(); }
      std::string_view value() const override { return inner_->value(); }
      Status status() const override { return refused_ ? inner_->status() : refused_; }

     private:
      std::unique_ptr<StateScan> inner_;
      Counting& store_;
      const Status refused_;
    };

    std::unique_ptr<StateStore> inner_;
    CountingStores& all_;
    std::function<RowTest()> make_test_;
  };

  Result<std::unique_ptr<StateStore>> counting(Result<std::unique_ptr<StateStore>> made) {
    if (!made) return made.error();
    return std::unique_ptr<StateStore>(std::make_unique<Counting>(*std::move(made), *this));
  }

  MemoryStateStoreFactory inner_;
};

// What all instances share.
struct StateWorld {
  CountingStores stores;
  MemoryCheckpointStore checkpoints;
  InlineExecutor executor;
  ManualClock clock;
  std::size_t memory = 0;
  std::vector<KeyedSnapshot> restored;
};

constexpr std::uint32_t kGroups = 8;
constexpr KeyGroupRange kAllGroups{KeyGroup(0), KeyGroup(kGroups - 1)};

// An owner of states; derive from it and declare some. K may be a Namespaced pair.
template <class K>
class OwnerUnderTest : public StateOwner<K> {
 public:
  void open(StateWorld& world, KeyGroupRange groups = kAllGroups) {
    const Status opened = try_open(world, groups);
    ASSERT_TRUE(opened) << opened.error().message();
  }
  Status try_open(StateWorld& world, KeyGroupRange groups = kAllGroups) {
    clock_ = &world.clock;
    environment_ = {.stores = &world.stores,
                    .checkpoints = &world.checkpoints,
                    .executor = &world.executor,
                    .memory = world.memory,
                    .restored = world.restored};
    return this->keyed_state().open({.name = "test",
                                     .key_groups = groups,
                                     .max_parallelism = kGroups,
                                     .clock = &world.clock,
                                     .environment = &environment_});
  }

  // The states are now those of that key, until the next call.
  void at(const K& key) {
    this->end_group();
    key_ = key;
    hash_ = hash_of_key(key_);
    place_ = &key_;
    this->begin_group({.hashes = {&hash_, 1}, .keys = &place_});
  }

  // Each piece of work takes a millisecond.
  KeyedSnapshot checkpoint() {
    this->end_group();
    std::optional<Result<KeyedSnapshot>> taken;
    const CheckpointName name{CheckpointId(++checkpoints_), 1};
    KeyedBackend& backend = this->keyed_state();
    backend.freeze(name, [&](Result<KeyedSnapshot> result) { taken = std::move(result); });
    for (bool more = true; more;) {
      clock_->advance(std::chrono::milliseconds(1));
      more = *backend.work();
    }
    check(taken && *taken, "the checkpoint failed");
    backend.completed(name);
    return **std::move(taken);
  }

 private:
  StateEnvironment environment_;
  K key_{};
  std::uint64_t hash_ = 0;
  const void* place_ = nullptr;
  std::uint64_t checkpoints_ = 0;
  ManualClock* clock_ = nullptr;
};

}  // namespace millrace::detail
