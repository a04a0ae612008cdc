#include "millrace/state/keyed_state.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kRowsAtOnce = 512;  // saved between two elements
constexpr std::size_t kHandOverBytes = std::size_t{16} << 20;

// The first hash of a group; of the one after the last, the end.
std::uint64_t first_hash(std::uint64_t group, std::uint64_t groups) {
  return ((group << 32) + groups - 1) / groups;
}

void append_hash(std::string& key, std::uint64_t upper_half) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(upper_half >> shift & 0xff));
  }
}

Status copy_rows(StateStore& from, std::string_view first, std::string_view end, StateStore& to) {
  const std::unique_ptr<StateScan> scan = from.scan(first, end);
  RowBuffer rows;
  for (bool more = true; more;) {
    more = scan->next();
    if (more) rows.put(scan->key(), scan->value());
    if ((!more && !rows.empty()) || rows.bytes() >= kHandOverBytes) {
      Status ingested = to.ingest(std::exchange(rows, {}).sorted());
      if (!ingested) return ingested;
    }
  }
  return scan->status();
}

}  // namespace

HashRange hashes_of(KeyGroupRange groups, std::uint32_t max_parallelism) {
  return {first_hash(groups.first.value(), max_parallelism),
          first_hash(std::uint64_t{groups.last.value()} + 1, max_parallelism)};
}

void KeyedState::begin_key(std::string& key, std::uint64_t hash, std::uint32_t id) {
  key.clear();
  key.push_back(static_cast<char>(id >> 8));
  key.push_back(static_cast<char>(id));
  append_hash(key, hash >> 32);
}

std::string KeyedState::end_of(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string KeyedState::prefix_of(std::uint32_t id) {
  return {static_cast<char>(id >> 8), static_cast<char>(id)};
}

Status KeyedState::open(const KeyedPlace& place) {
  place_ = place;
  range_ = hashes_of(place.key_groups, place.max_parallelism);
  read_clock();
  Status attached = attach_parts();
  if (!attached) return attached;
  for (StatePart* const part : parts_) part->rows().set_range(range_);
  StateEnvironment* const environment = place.environment;
  if (environment == nullptr || environment->stores == nullptr) return {};
  writer_ = std::make_shared<StateWriter>(*environment, place.name);
  Status restored = restore();
  return restored ? restored : Status(restored.error().with_context("restoring its state"));
}

// A state keeps its id from checkpoint to checkpoint, whatever is declared beside it.
Status KeyedState::attach_parts() {
  std::vector<StateDescription> known;
  if (place_.environment != nullptr && !place_.environment->restored.empty()) {
    known = place_.environment->restored.front().states;
  }
  std::uint32_t next_id = 0;
  for (const StateDescription& state : known) next_id = std::max(next_id, state.id + 1);
  for (StatePart* const part : parts_) {
    const std::string& name = part->declaration().name;
    const auto same = [&](const StatePart* other) { return other->declaration().name == name; };
    if (std::ranges::count_if(parts_, same) > 1) {
      return invalid_argument(concat("two states are named ", in_quotes(name),
                                     "; a name tells the states of an operator apart"));
    }
    const auto restored = std::ranges::find(known, name, &StateDescription::name);
    const bool is_known = restored != known.end();
    Status attached =
        part->attach(*this, is_known ? restored->id : next_id++, is_known ? &*restored : nullptr);
    if (!attached) return attached;
    if (is_known) known.erase(restored);
  }
  dropped_ = std::move(known);
  if (next_id >> 16 != 0) return unsupported("an operator has more than 65,536 states");
  return {};
}

Status KeyedState::restore() {
  const std::vector<KeyedSnapshot>& restored = place_.environment->restored;
  if (restored.empty()) return {};
  may_load_ = true;
  const KeyedSnapshot& first = restored.front();
  StateStoreFactory& stores = *place_.environment->stores;
  if (restored.size() == 1 && first.first_group == place_.key_groups.first.value() &&
      first.last_group == place_.key_groups.last.value()) {
    Result<std::unique_ptr<StateStore>> store =
        stores.restore(place_.name, first.files, *place_.environment->checkpoints);
    if (!store) return store.error();
    writer_->adopt(*std::move(store), first.files);
    return {};
  }
  Result<std::unique_ptr<StateStore>> store = stores.make(place_.name);
  if (!store) return store.error();
  for (const KeyedSnapshot& snapshot : restored) {
    Status copied = copy_clipped(snapshot, **store);
    if (!copied) return copied;
  }
  writer_->adopt(*std::move(store), {});
  return {};
}

// After a change of parallelism: the rows of this instance's key groups.
Status KeyedState::copy_clipped(const KeyedSnapshot& from, StateStore& to) {
  const HashRange held =
      hashes_of({KeyGroup(from.first_group), KeyGroup(from.last_group)}, place_.max_parallelism);
  const HashRange wanted{std::max(held.first, range_.first), std::min(held.end, range_.end)};
  if (wanted.first >= wanted.end || from.files.empty()) return {};
  Result<std::unique_ptr<StateStore>> old =
      place_.environment->stores->restore(concat(place_.name, "-from-", from.first_group),
                                          from.files, *place_.environment->checkpoints);
  if (!old) return old.error();
  for (const StateDescription& state : from.states) {
    std::string first = prefix_of(state.id);
    std::string end = first;
    append_hash(first, wanted.first);
    if (wanted.end >> 32 == 0) append_hash(end, wanted.end);
    Status copied = copy_rows(**old, first, wanted.end >> 32 == 0 ? end : end_of(end), to);
    if (!copied) return copied;
  }
  return {};
}

void KeyedState::freeze(const CheckpointName& checkpoint, Done done) {
  check(!frozen_, "a second checkpoint is frozen before the first is saved");
  if (!writer_) return done(KeyedSnapshot());
  frozen_ = Frozen{checkpoint, std::move(done)};
  images_ = std::exchange(removals_, {});
  removed_before_.push_back({std::exchange(removed_, {}), std::nullopt});
  for (StatePart* const part : parts_) part->rows().freeze();
}

Result<bool> KeyedState::work() {
  if (!frozen_) return false;
  if (frozen_->part < parts_.size()) {
    if (!parts_[frozen_->part]->rows().save_some(kRowsAtOnce)) ++frozen_->part;
    if (images_.bytes() >= kHandOverBytes) hand_over();
  } else {
    finish_frozen();
  }
  return true;
}

void KeyedState::hand_over() {
  if (!images_.empty()) writer_->write(std::exchange(images_, {}), ++batch_);
}

void KeyedState::hand_over_last() {
  hand_over();
  removed_before_.back().batch = batch_;
}

void KeyedState::finish_frozen() {
  hand_over_last();
  const Frozen frozen = *std::exchange(frozen_, std::nullopt);
  if (!failure_) return frozen.done(std::exchange(failure_, {}).error());
  KeyedSnapshot snapshot{.first_group = place_.key_groups.first.value(),
                         .last_group = place_.key_groups.last.value(),
                         .states = dropped_,
                         .files = {}};
  for (const StatePart* const part : parts_) snapshot.states.push_back(part->description());
  writer_->checkpoint(frozen.checkpoint, std::move(snapshot), frozen.done);
}

// What was saved goes to the database all the same: its rows count as stored.
void KeyedState::abandon(const CheckpointName& checkpoint) {
  if (!frozen_ || frozen_->checkpoint != checkpoint) return;
  for (StatePart* const part : parts_) part->rows().abandon();
  hand_over_last();
  frozen_.reset();
}

void KeyedState::completed(const CheckpointName& checkpoint) {
  if (writer_) writer_->completed(checkpoint);
}

// It joins the next freeze, behind what is frozen now.
void KeyedState::remove(std::string_view key) {
  removals_.remove(key);
  removed_.emplace(key);
}

bool KeyedState::is_removed(const std::string& key) {
  while (!removed_before_.empty() && removed_before_.front().batch &&
         *removed_before_.front().batch <= writer_->written()) {
    removed_before_.pop_front();
  }
  return removed_.contains(key) ||
         std::ranges::any_of(removed_before_,
                             [&](const Removed& removed) { return removed.keys.contains(key); });
}

Status KeyedState::load(std::span<const std::string> keys,
                        const std::function<void(std::size_t, std::string_view)>& found) {
  std::vector<std::string_view> wanted;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (is_removed(keys[i])) continue;
    wanted.push_back(keys[i]);
    numbers.push_back(i);
  }
  if (wanted.empty()) return {};
  return writer_->store()->get(
      wanted, [&](std::size_t i, std::string_view value) { found(numbers[i], value); });
}

Status KeyedState::load_all(
    std::string_view first, std::string_view end,
    const std::function<Result<bool>(std::string_view, std::string_view)>& found) {
  const std::unique_ptr<StateScan> scan = writer_->store()->scan(first, end);
  while (scan->next()) {
    if (is_removed(std::string(scan->key()))) continue;
    Result<bool> more = found(scan->key(), scan->value());
    if (!more) return more.error();
    if (!*more) return {};
  }
  return scan->status();
}

}  // namespace millrace::detail
