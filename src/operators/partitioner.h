// Partitioners: which channel of an exchange each record of a batch goes to. One instance per
// sending subtask and edge; the number of channels is the number of receiving subtasks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "millrace/core/cache_line.h"
#include "millrace/core/random.h"
#include "millrace/core/records/batch.h"
#include "millrace/core/records/hash.h"
#include "millrace/core/records/key_group.h"
#include "millrace/core/records/pass_on.h"

namespace millrace::detail {

class alignas(kCacheLine) Partitioner {
 public:
  virtual ~Partitioner() = default;

  // Appends each record of `batch` to the batch of its channel; moves it there if `take`.
  virtual void scatter(AnyBatch& batch, bool take, std::span<BatchPtr> channels) = 0;
};

// Scatters by a function of the record that gives the channel's number.
template <class T, class Choose>
class ScatterBy final : public Partitioner {
 public:
  explicit ScatterBy(Choose choose) : choose_(std::move(choose)) {}

  void scatter(AnyBatch& from, bool take, std::span<BatchPtr> channels) override {
    auto& batch = static_cast<Batch<T>&>(from);
    choose_channels(batch.values(), channels.size());
    reserve(batch, channels);
    if (take) {
      move_records(batch.values());
    } else if constexpr (std::is_copy_assignable_v<T>) {
      for (std::size_t row = 0; row < batch.size(); ++row)
        *to_[channel_[row]]++ = batch.values()[row];
    } else {
      check(false, "a batch of move-only records was shared");
    }
    if (batch.stamped()) stamp(batch, channels);
    for (std::size_t i = 0; i < channels.size(); ++i) {
      typed(channels[i]).pad_stamps();
      typed(channels[i]).account_for(count_[i]);
    }
  }

 private:
  static Batch<T>& typed(BatchPtr& batch) { return static_cast<Batch<T>&>(*batch); }

  void choose_channels(std::span<const T> values, std::size_t channels) {
    channel_.resize(values.size());
    count_.assign(channels, 0);
    std::uint32_t* const channel = channel_.data();
    std::size_t* const count = count_.data();
    for (std::size_t row = 0; row < values.size(); ++row) {
      channel[row] = choose_(values[row]);
      ++count[channel[row]];
    }
  }

  void reserve(const Batch<T>& batch, std::span<BatchPtr> channels) {
    to_.resize(channels.size());
    for (std::size_t i = 0; i < channels.size(); ++i) {
      typed(channels[i]).match_stamps(batch.stamped());
      to_[i] = typed(channels[i]).extend(count_[i]);
    }
  }

  void move_records(std::span<T> values) {
    for (std::size_t row = 0; row < values.size(); ++row) {
      pass_on(values[row], *to_[channel_[row]]++);
    }
  }

  void stamp(const Batch<T>& batch, std::span<BatchPtr> channels) {
    for (std::size_t row = 0; row < batch.size(); ++row) {
      typed(channels[channel_[row]]).stamp(batch.timestamp(row));
    }
  }

  Choose choose_;
  std::vector<std::uint32_t> channel_;                         // of each row
  std::vector<std::size_t, CacheAligned<std::size_t>> count_;  // of rows for each channel
  std::vector<T*, CacheAligned<T*>> to_;  // where each channel's next record goes
};

// By key group: all records of a key go to the subtask that owns the key.
template <class T, class Selector>
class KeyChooser {
 public:
  KeyChooser(Selector key, std::uint32_t max_parallelism, std::uint32_t channels)
      : key_(std::move(key)), max_parallelism_(max_parallelism) {
    const KeyGroupLayout layout{.parallelism = channels, .max_parallelism = max_parallelism};
    owner_.reserve(max_parallelism);
    for (std::uint32_t group = 0; group < max_parallelism; ++group) {
      owner_.push_back(layout.subtask_of(KeyGroup(group)).value());
    }
  }

  std::uint32_t operator()(const T& value) const {
    return owner_[key_group_of(key_.hash(value), max_parallelism_).value()];
  }

 private:
  Selector key_;
  std::uint32_t max_parallelism_;
  std::vector<std::uint32_t> owner_;  // subtask of each key group
};

template <class T>
class RandomChooser {
 public:
  RandomChooser(std::uint64_t seed, std::uint32_t channels) : random_(seed), channels_(channels) {}

  std::uint32_t operator()(const T&) {
    return static_cast<std::uint32_t>(random_.below(channels_));
  }

 private:
  Random random_;
  std::uint32_t channels_;
};

// By the user's function (value, number of subtasks) -> subtask; its result is taken modulo.
template <class T, class F>
class CustomChooser {
 public:
  CustomChooser(F function, std::uint32_t channels)
      : function_(std::move(function)), channels_(channels) {}

  std::uint32_t operator()(const T& value) const {
    return static_cast<std::uint32_t>(function_(value, channels_)) % channels_;
  }

 private:
  F function_;
  std::uint32_t channels_;
};

// In equal slices, each batch beginning with the channel after the last one served: for forward,
// rebalance and rescale.
class RoundRobin final : public Partitioner {
 public:
  explicit RoundRobin(std::uint32_t first) : next_(first) {}

  void scatter(AnyBatch& batch, bool take, std::span<BatchPtr> channels) override;

 private:
  std::uint32_t next_;
};

// All to the first channel.
class ToFirst final : public Partitioner {
 public:
  void scatter(AnyBatch& batch, bool take, std::span<BatchPtr> channels) override {
    channels[0]->append(batch, 0, batch.size(), take);
  }
};

}  // namespace millrace::detail
