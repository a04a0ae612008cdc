#include "millrace/tools/snapshot_reader.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <utility>

#include "millrace/core/text.h"
#include "millrace/state/keyed_state.h"
#include "millrace/state/memory_store.h"
#include "millrace/state/rocksdb/rocksdb_reader.h"
#include "millrace/state/savepoint/rows_scan.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kRocksDbFile = "CURRENT";

std::filesystem::path new_temporary_folder() {
  static std::atomic<int> number = 0;
  return std::filesystem::temp_directory_path() /
         concat("millrace-state-", getpid(), "-", ++number);
}

// The rows of one operator instance, wherever they are.
class InstanceRows {
 public:
  static Result<std::unique_ptr<InstanceRows>> open(const KeyedSnapshot& keyed,
                                                    CheckpointStore& from) {
    auto rows = std::make_unique<InstanceRows>(keyed, from);
    if (!keyed.rows.empty() || keyed.files.empty()) return rows;
    if (std::ranges::find(keyed.files, kRocksDbFile, &StoredFile::name) != keyed.files.end()) {
      auto reader = RocksDbReader::open(new_temporary_folder(), keyed.files, from);
      if (!reader) return reader.error();
      rows->reader_ = *std::move(reader);
      return rows;
    }
    auto store = MemoryStateStoreFactory().restore("state", keyed.files, from);
    if (!store) return store.error();
    rows->store_ = *std::move(store);
    return rows;
  }

  InstanceRows(const KeyedSnapshot& keyed, CheckpointStore& from) : keyed_(keyed), from_(from) {}

  std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) {
    if (reader_) return reader_->scan(first, end);
    if (store_) return store_->scan(first, end);
    return scan_rows_of(keyed_.rows, from_, first, end);
  }

 private:
  const KeyedSnapshot& keyed_;
  CheckpointStore& from_;
  std::unique_ptr<RocksDbReader> reader_;
  std::unique_ptr<StateStore> store_;
};

// One instance after the other.
class AllRows final : public RowsOfState {
 public:
  AllRows(std::vector<const KeyedSnapshot*> keyed, CheckpointStore& from, std::string state,
          std::string prefix)
      : keyed_(std::move(keyed)),
        from_(from),
        name_(std::move(state)),
        prefix_(std::move(prefix)) {}

  bool next() override {
    while (status_) {
      if (!scan_ && !open_next()) return false;
      if (scan_->next()) return true;
      status_ = scan_->status();
      scan_.reset();
    }
    return false;
  }
  Status status() const override { return status_; }
  std::string_view key() const override {
    return scan_->key().substr(KeyedState::prefix_of(0).size());
  }
  std::string_view value() const override { return scan_->value(); }
  const StateDescription& state() const override { return *state_; }
  const KeyedSnapshot& snapshot() const override { return *keyed_[next_ - 1]; }

 private:
  bool open_next() {
    while (next_ < keyed_.size()) {
      const KeyedSnapshot& keyed = *keyed_[next_++];
      const auto found = std::ranges::find(keyed.states, name_, &StateDescription::name);
      if (found == keyed.states.end()) continue;
      state_ = &*found;
      Result<std::unique_ptr<InstanceRows>> rows = InstanceRows::open(keyed, from_);
      if (!rows) {
        status_ = rows.error();
        return false;
      }
      rows_ = *std::move(rows);
      const std::string first = KeyedState::prefix_of(state_->id) + prefix_;
      scan_ = rows_->scan(first, KeyedState::end_of(first));
      return true;
    }
    return false;
  }

  const std::vector<const KeyedSnapshot*> keyed_;
  CheckpointStore& from_;
  const std::string name_;
  const std::string prefix_;
  std::size_t next_ = 0;
  const StateDescription* state_ = nullptr;
  std::unique_ptr<InstanceRows> rows_;
  std::unique_ptr<StateScan> scan_;  // goes before the rows
  Status status_;
};

std::vector<OperatorState> operators_of(const CheckpointMetadata& metadata) {
  std::vector<OperatorState> operators;
  for (const TaskSnapshot& task : metadata.tasks) {
    for (const OperatorSnapshot& snapshot : task.operators) {
      auto found = std::ranges::find(operators, snapshot.id, &OperatorState::id);
      if (found == operators.end()) {
        operators.push_back({.id = snapshot.id,
                             .name = snapshot.name,
                             .parallelism = snapshot.parallelism,
                             .max_parallelism = snapshot.max_parallelism});
        found = operators.end() - 1;
      }
      for (const auto& [name, piece] : snapshot.pieces) {
        StatePiece& all = found->pieces[name];
        all.redistribution = piece.redistribution;
        all.schema = piece.schema;
        all.elements.insert(all.elements.end(), piece.elements.begin(), piece.elements.end());
      }
      for (const KeyedSnapshot& keyed : snapshot.keyed) found->keyed.push_back(&keyed);
    }
  }
  for (OperatorState& of : operators) {
    std::ranges::sort(of.keyed, {}, [](const KeyedSnapshot* keyed) { return keyed->first_group; });
  }
  return operators;
}

template <class Names>
std::string choice_of(const Names& names) {
  return names.empty() ? "it has none" : concat("it has ", join(names));
}

}  // namespace

std::map<std::string, StateDescription> OperatorState::states() const {
  std::map<std::string, StateDescription> all;
  for (const KeyedSnapshot* of_instance : keyed) {
    for (const StateDescription& state : of_instance->states) all.emplace(state.name, state);
  }
  return all;
}

std::string id_text(std::uint64_t id) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kHexDigits[id >> shift & 0xf];
  return text;
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(const std::string& path) {
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader());
  Result<FoundSnapshot> found = reader->snapshots_.find(path);
  if (!found) return found.error();
  reader->found_ = *std::move(found);
  reader->operators_ = operators_of(reader->found_.metadata);
  return reader;
}

Result<const OperatorState*> SnapshotReader::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const OperatorState& of : operators_) {
    if (of.name == name || id_text(of.id) == name) return &of;
    names.push_back(in_quotes(of.name));
  }
  return not_found(concat("there is no operator ", in_quotes(name), "; ", choice_of(names)));
}

Result<StateDescription> SnapshotReader::find_state(const OperatorState& of,
                                                    std::string_view name) {
  const auto states = of.states();
  const auto found = states.find(std::string(name));
  if (found != states.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, state] : states) names.push_back(in_quotes(known));
  return not_found(concat("operator ", in_quotes(of.name), " has no keyed state ", in_quotes(name),
                          "; ", choice_of(names)));
}

std::unique_ptr<RowsOfState> SnapshotReader::scan(const OperatorState& of, std::string state,
                                                  std::string prefix) {
  return std::make_unique<AllRows>(of.keyed, store(), std::move(state), std::move(prefix));
}

}  // namespace millrace::detail
