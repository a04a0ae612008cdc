// A keyed operator with a backend of its own, as plain as can be: a map, copied when it is frozen,
// and written a key at a time.
#pragma once

#include <map>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/core/records/hash.h"
#include "millrace/operators/operator.h"

namespace millrace::test_support {

struct KeyedNumber {
  std::int64_t key;
  std::int64_t number;
  friend auto operator<=>(const KeyedNumber&, const KeyedNumber&) = default;
};

// For each record the sum of its key so far.
class SummingOperator final : public detail::Operator, private detail::KeyedBackend {
 public:
  using Snapshot = detail::KeyedSnapshot;

  Status open(const detail::OperatorContext& context) override {
    context_ = context;
    for (const Snapshot& snapshot : context.state->restored) {
      for (const detail::StoredFile& file : snapshot.files) {
        if (Status restored = restore_file(file); !restored) return restored;
      }
    }
    return {};
  }
  Result<detail::Progress> process(std::uint32_t, detail::Cursor& in,
                                   detail::Outputs& out) override {
    for (; !in.done(); ++in.next) {
      const KeyedNumber& given = in.as<KeyedNumber>().values()[in.next];
      out.get<KeyedNumber>(0).push({given.key, sums_[given.key] += given.number});
    }
    return detail::Progress::kDone;
  }
  detail::KeyedBackend* keyed_backend() override { return this; }

 private:
  void freeze(const detail::CheckpointName& checkpoint, Done done) override {
    check(!done_, "at most one checkpoint is frozen at a time");
    frozen_.assign(sums_.begin(), sums_.end());
    checkpoint_ = checkpoint;
    done_ = std::move(done);
    written_.clear();
  }
  Result<bool> work() override {
    if (!done_) return false;
    if (!frozen_.empty()) {
      written_.push_back({frozen_.back().first, frozen_.back().second});
      frozen_.pop_back();
      return true;
    }
    std::exchange(done_, {})(write());
    return true;
  }
  void abandon(const detail::CheckpointName& checkpoint) override {
    check(checkpoint == checkpoint_, "another checkpoint was frozen");
    done_ = {};
  }
  void completed(const detail::CheckpointName& checkpoint) override {
    check(checkpoint != checkpoint_ || !done_, "that checkpoint was not written");
  }

  Result<Snapshot> write() {
    std::string bytes;
    Status encoded = detail::encode_rows(
        type_of<KeyedNumber>(), detail::Rows::of(std::span<const KeyedNumber>(written_)), bytes);
    if (!encoded) return encoded.error();
    auto file = context_.state->checkpoints->put(checkpoint_, "sums", bytes);
    if (!file) return file.error();
    return Snapshot{.first_group = context_.key_groups.first.value(),
                    .last_group = context_.key_groups.last.value(),
                    .states = {},
                    .files = {*file}};
  }
  Status restore_file(const detail::StoredFile& file) {
    Result<std::string> bytes = context_.state->checkpoints->fetch(file);
    if (!bytes) return bytes.error();
    auto rows = detail::decode_rows<KeyedNumber>(*bytes);
    if (!rows) return rows.error();
    for (const KeyedNumber& row : *rows) {
      const KeyGroup group = key_group_of(hash_key(row.key), context_.max_parallelism);
      if (context_.key_groups.contains(group)) sums_[row.key] = row.number;
    }
    return {};
  }

  detail::OperatorContext context_;
  std::map<std::int64_t, std::int64_t> sums_;
  detail::CheckpointName checkpoint_;
  Done done_;  // while something is frozen
  std::vector<std::pair<std::int64_t, std::int64_t>> frozen_;
  std::vector<KeyedNumber> written_;
};

}  // namespace millrace::test_support
