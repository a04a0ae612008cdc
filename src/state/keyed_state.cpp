#include "millrace/state/keyed_state.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/core/text.h"
#include "millrace/state/savepoint/rows_scan.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kRowsAtOnce = 512;  // saved between two elements
constexpr std::size_t kLeastHandOver = std::size_t{8} << 20;
constexpr std::size_t kMostHandOver = std::size_t{64} << 20;
constexpr std::size_t kHandOverPart = 32;  // of the memory
constexpr std::size_t kEvictedBytes = std::size_t{4} << 20;
constexpr std::size_t kTurnsWithoutEviction = 64;
constexpr std::chrono::seconds kPauseOfAttempts{1};  // to write what was refused
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kFiltersPart = 16;  // of the memory
constexpr std::size_t kRestoredPart = 8;  // of files: at least ten bits for each row of them
constexpr std::size_t kLeastFilter = 64;
constexpr std::size_t kShardsInMemory = 32;  // at least, so that evicting one is little

// The first hash of a group; of the one after the last, the end.
std::uint64_t first_hash(std::uint64_t group, std::uint64_t groups) {
  return ((group << 32) + groups - 1) / groups;
}

void append_hash(std::string& key, std::uint64_t upper_half) {
  const std::uint32_t big_endian = __builtin_bswap32(static_cast<std::uint32_t>(upper_half));
  key.append(reinterpret_cast<const char*>(&big_endian), sizeof big_endian);
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

std::string KeyedState::place_of(std::string_view prefix, std::uint64_t upper_half) {
  if (upper_half >> 32 != 0) return end_of(prefix);
  std::string key(prefix);
  append_hash(key, upper_half);
  return key;
}

std::uint32_t KeyedState::id_in(std::string_view key) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(key[i]); };
  return std::uint32_t{byte(0)} << 8 | byte(1);
}

std::uint64_t KeyedState::upper_half_in(std::string_view key) {
  std::uint64_t upper = 0;
  for (const char byte : key.substr(kPrefixBytes, kHashBytes)) {
    upper = upper << 8 | static_cast<unsigned char>(byte);
  }
  return upper;
}

std::string KeyedState::prefix_of(std::uint32_t id) {
  return {static_cast<char>(id >> 8), static_cast<char>(id)};
}

KeyedState::~KeyedState() {
  if (writer_) writer_->give_up_checkpoint();
}

KeyedState::KeyedState() : hand_over_bytes_(kMostHandOver) {}

Status KeyedState::open(const KeyedPlace& place) {
  place_ = place;
  range_ = hashes_of(place.key_groups, place.max_parallelism);
  read_clock();
  Status attached = attach_parts();
  if (!attached) return attached;
  for (StatePart* const part : parts_) {
    part->rows().set_range(range_);
    expires_ = expires_ || part->declaration().time_to_live_milliseconds != 0;
  }
  StateEnvironment* const environment = place.environment;
  if (environment == nullptr || environment->stores == nullptr || parts_.empty()) return {};
  writer_ = std::make_shared<StateWriter>(*environment, place.name);
  if (expires_ && place.clock != nullptr) writer_->forget_useless(test_of_expiry());
  limit_memory();
  Status restored = restore();
  return restored ? restored : Status(restored.error().with_context("restoring its state"));
}

// The value of a row that expires ends with the time at which it was touched last: that of a chunk
// of a list with that of its youngest element (docs/FORMATS.md).
std::function<RowTest()> KeyedState::test_of_expiry() const {
  std::map<std::uint32_t, Duration> times;
  for (const StatePart* const part : parts_) {
    const std::int64_t time = part->declaration().time_to_live_milliseconds;
    if (time != 0) times.emplace(part->id(), time);
  }
  return [times = std::move(times), clock = place_.clock]() -> RowTest {
    return [times, now = clock->now()](std::string_view key, std::string_view value) {
      const auto time = times.find(id_in(key));
      std::int64_t touched = 0;
      if (time == times.end() || value.size() < sizeof touched) return false;
      std::memcpy(&touched, value.data() + value.size() - sizeof touched, sizeof touched);
      return Timestamp(Duration(touched)) <= now - time->second;
    };
  };
}

// Where nothing is evicted the filters know what a restored database has, and are sized by that.
void KeyedState::limit_memory() {
  memory_ = place_.environment->memory;
  if (memory_ != 0) {
    hand_over_bytes_ = std::clamp(memory_ / kHandOverPart, kLeastHandOver, kMostHandOver);
  }
  const std::size_t all = memory_ != 0 ? memory_ / kFiltersPart : bytes_restored() / kRestoredPart;
  const std::size_t filter = std::max(all / parts_.size(), kLeastFilter);
  for (StatePart* const part : parts_) {
    part->rows().limit_filter(filter);
    if (memory_ != 0) part->rows().allow_eviction(memory_ / kShardsInMemory);
  }
}

std::size_t KeyedState::bytes_restored() const {
  std::size_t bytes = 0;
  for (const KeyedSnapshot& snapshot : place_.environment->restored) {
    for (const StoredFile& file : snapshot.files) bytes += file.bytes;
    for (const RowsFile& rows : snapshot.rows) bytes += rows.file.bytes;
  }
  return bytes;
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
  for (StatePart* const part : parts_) part->rows().evicted().forget();
  const KeyedSnapshot& first = restored.front();
  StateStoreFactory& stores = *place_.environment->stores;
  if (restored.size() == 1 && first.first_group == place_.key_groups.first.value() &&
      first.last_group == place_.key_groups.last.value() && !first.files.empty()) {
    Result<std::unique_ptr<StateStore>> store = stores.restore(place_.name, first.files, origin());
    if (!store) return store.error();
    pass(FailPoint::kStateRestored);
    // Checkpoints refer to files of their own directory only.
    const bool own = place_.environment->origin == nullptr;
    writer_->adopt(*std::move(store), own ? first.files : std::vector<StoredFile>());
    return {};
  }
  Result<std::unique_ptr<StateStore>> store = stores.make(place_.name);
  if (!store) return store.error();
  for (const KeyedSnapshot& snapshot : restored) {
    Status copied = copy_clipped(snapshot, **store);
    if (!copied) return copied;
    pass(FailPoint::kStateRestored);
  }
  for (StatePart* const part : parts_) part->rows().evicted().learned_to(range_.end);
  writer_->adopt(*std::move(store), {});
  return {};
}

// Where what is restored lies.
CheckpointStore& KeyedState::origin() const {
  const StateEnvironment& environment = *place_.environment;
  return environment.origin ? *environment.origin : *environment.checkpoints;
}

// From a savepoint, or after a change of parallelism: the rows of this instance's key groups.
Status KeyedState::copy_clipped(const KeyedSnapshot& from, StateStore& to) {
  const HashRange held =
      hashes_of({KeyGroup(from.first_group), KeyGroup(from.last_group)}, place_.max_parallelism);
  HashRange wanted{std::max(held.first, range_.first), std::min(held.end, range_.end)};
  if (is_mutant(Mutant::kWrongKeyGroups)) wanted.first += first_hash(1, place_.max_parallelism);
  if (wanted.first >= wanted.end) return {};
  const auto scan_savepoint = [&](std::string_view first, std::string_view end) {
    return scan_rows_of(from.rows, origin(), first, end);
  };
  if (!from.rows.empty()) return copy_range(from, wanted, scan_savepoint, to);
  if (from.files.empty()) return {};
  Result<std::unique_ptr<StateStore>> old = place_.environment->stores->restore(
      concat(place_.name, "-from-", from.first_group), from.files, origin());
  if (!old) return old.error();
  const auto scan_database = [&](std::string_view first, std::string_view end) {
    return (*old)->scan(first, end);
  };
  return copy_range(from, wanted, scan_database, to);
}

Status KeyedState::copy_range(const KeyedSnapshot& from, HashRange wanted, const ScanRange& scan,
                              StateStore& to) {
  std::vector<std::uint32_t> ids;
  for (const StateDescription& state : from.states) ids.push_back(state.id);
  std::ranges::sort(ids);
  for (const std::uint32_t id : ids) {
    const std::string prefix = prefix_of(id);
    Status copied =
        copy_rows(scan(place_of(prefix, wanted.first), place_of(prefix, wanted.end)), to);
    if (!copied) return copied;
  }
  return {};
}

Status KeyedState::copy_rows(const std::unique_ptr<StateScan>& scan, StateStore& to) {
  RowBuffer rows;
  for (bool more = true; more;) {
    more = scan->next();
    if (more) {
      rows.put(scan->key(), scan->value());
      learn(scan->key());
    }
    if ((!more && !rows.empty()) || rows.bytes() >= kLeastHandOver) {
      Status ingested = to.ingest(std::exchange(rows, {}).sorted());
      if (!ingested) return ingested;
    }
  }
  return scan->status();
}

// A final checkpoint that only commits sinks needs no state; any other would lose it.
Result<KeyedSnapshot> KeyedState::keep_nowhere() const {
  if (place_.environment != nullptr && place_.environment->checkpoints != nullptr) {
    return internal("there are checkpoints, but no stores for keyed state");
  }
  return KeyedSnapshot();
}

// What rows were when they left memory goes first: they may have come back and changed again.
void KeyedState::freeze(const CheckpointName& checkpoint, Done done) {
  check(!frozen_, "a second checkpoint is frozen before the first is saved");
  if (!writer_) return done(keep_nowhere());
  pass(FailPoint::kSnapshotStarted);
  frozen_ = Frozen{checkpoint, std::exchange(savepoint_, std::nullopt), timed(std::move(done))};
  hand_over(changes_);
  for (StatePart* const part : parts_) part->rows().freeze();
}

KeyedBackend::Done KeyedState::timed(Done done) const {
  if (place_.clock == nullptr) return done;
  return [done = std::move(done), writer = writer_, clock = place_.clock,
          began = place_.clock->monotonic()](Result<KeyedSnapshot> result) {
    writer->note_time(clock->monotonic() - began);
    done(std::move(result));
  };
}

Result<bool> KeyedState::work() {
  if (!failure_) return failure_.error();
  if (writer_is_behind()) return wait_for_writer();
  refused_since_.reset();
  if (!frozen_) return false;
  if (frozen_->part < parts_.size()) {
    const bool forgets = is_mutant(Mutant::kForgetTimers) &&
                         parts_[frozen_->part]->declaration().name == "event-timers";
    if (forgets) parts_[frozen_->part]->rows().abandon();
    save_in_order();
    if (images_.bytes() >= hand_over_bytes_) hand_over(images_);
  } else {
    finish_frozen();
  }
  return true;
}

// Apart from what records save by touching it, and whole shards at a time: files of neighbouring
// rows overlap with no others, so the database need not merge them.
void KeyedState::save_in_order() {
  RowTable& rows = parts_[frozen_->part]->rows();
  std::swap(images_, in_order_);
  if (!rows.save_some(kRowsAtOnce)) ++frozen_->part;
  std::swap(images_, in_order_);
  if (in_order_.bytes() >= hand_over_bytes_ && rows.between_shards()) hand_over(in_order_);
}

void KeyedState::hand_over(RowBuffer& rows) {
  if (rows.empty()) return;
  auto taken = std::make_shared<RowBuffer>(std::exchange(rows, std::exchange(spare_, {})));
  handed_over_bytes_ += taken->bytes();
  handed_over_.push_back({taken, ++batch_});
  writer_->write(std::move(taken), batch_);
  forget_written();
}

// They come behind what is frozen.
void KeyedState::hand_over_changes() {
  if (!frozen_ && changes_.bytes() >= kEvictedBytes) hand_over(changes_);
}

void KeyedState::forget_written() {
  while (!handed_over_.empty() && handed_over_.front().batch <= writer_->written()) {
    RowBuffer& written = *handed_over_.front().rows;  // that the writer looks at no more
    handed_over_bytes_ -= written.bytes();
    spare_ = std::move(written);
    spare_.clear();
    handed_over_.pop_front();
  }
}

void KeyedState::finish_frozen() {
  hand_over(in_order_);
  hand_over(images_);
  if (is_mutant(Mutant::kEvictDuringFreeze)) hand_over(changes_);
  const Frozen frozen = *std::exchange(frozen_, std::nullopt);
  KeyedSnapshot snapshot{.first_group = place_.key_groups.first.value(),
                         .last_group = place_.key_groups.last.value(),
                         .states = dropped_,
                         .files = {}};
  for (const StatePart* const part : parts_) snapshot.states.push_back(part->description());
  std::optional<StateWriter::Savepoint> savepoint;
  if (frozen.savepoint) savepoint = {*frozen.savepoint, place_.max_parallelism};
  writer_->checkpoint(frozen.checkpoint, std::move(snapshot), std::move(savepoint), frozen.done);
}

// The buffers are full of what the writer has been given, so the task stands still. What the writer
// cannot write fails the checkpoint that is frozen, which would need more memory; and the task, if
// nothing helps.
Result<bool> KeyedState::wait_for_writer() {
  const std::optional<Error> refused = writer_->failure();
  if (!refused) return false;
  if (frozen_) {
    const Frozen declined = *frozen_;
    abandon(declined.checkpoint);
    declined.done(*refused);
    return true;
  }
  const auto now = place_.clock ? place_.clock->monotonic() : try_again_at_;
  if (!refused_since_) refused_since_ = now;
  if (now - *refused_since_ >= kPatience) {
    return refused->with_context(
        "its state is larger than its memory and cannot be written; make room on the disk, or "
        "give it more memory with --state-memory");
  }
  if (now < try_again_at_) return false;
  try_again_at_ = now + kPauseOfAttempts;
  writer_->try_again();
  return false;
}

// What was saved goes to the database all the same: its rows count as stored.
void KeyedState::abandon(const CheckpointName& checkpoint) {
  if (writer_) writer_->give_up_checkpoint();
  if (!frozen_ || frozen_->checkpoint != checkpoint) return;
  for (StatePart* const part : parts_) part->rows().abandon();
  hand_over(in_order_);
  hand_over(images_);
  frozen_.reset();
}

void KeyedState::leave_out(const CheckpointName& checkpoint) {
  if (writer_) writer_->leave_out(checkpoint);
}

void KeyedState::completed(const CheckpointName& checkpoint) {
  if (writer_) writer_->completed(checkpoint);
}

// Rows leave the memory from all parts in turn. What they were goes to the writer behind what is
// frozen, so that no checkpoint sees what came after its barrier.
void KeyedState::evict() {
  std::size_t turns_without = 0;
  for (StatePart* const part : parts_) part->rows().sample_heap();
  const std::uint64_t before = evicted_;
  while (bytes_held() > memory_ && turns_without < kTurnsWithoutEviction) {
    RowTable& rows = parts_[next_evicted_++ % parts_.size()]->rows();
    const std::size_t gone = rows.evict_some();
    if (gone > 0) pass(FailPoint::kRowsEvicted);
    evicted_ += gone;
    turns_without = gone > 0 ? 0 : turns_without + 1;
  }
  hand_over_changes();
  may_load_ = may_load_ || evicted_ > before;
}

void KeyedState::sweep() {
  for (StatePart* const part : parts_) {
    const std::int64_t time = part->declaration().time_to_live_milliseconds;
    if (time != 0) part->sweep(now_ - Duration(time));
  }
}

std::size_t KeyedState::bytes_held() const {
  std::size_t bytes = 0;
  for (StatePart* const part : parts_) bytes += part->rows().bytes();
  return bytes;
}

std::size_t KeyedState::rows_held() const {
  std::size_t rows = 0;
  for (StatePart* const part : parts_) rows += part->rows().size();
  return rows;
}

void KeyedState::report(StateMetrics& metrics) {
  metrics.rows.set(static_cast<std::int64_t>(rows_held()));
  metrics.bytes.set(static_cast<std::int64_t>(bytes_held()));
  metrics.lookups.increment(std::exchange(lookups_, 0));
  metrics.database_reads.increment(std::exchange(asked_, 0));
  metrics.evicted_rows.increment(std::exchange(evicted_, 0));
  const std::size_t unwritten = bytes_frozen() + changes_.bytes();
  metrics.unwritten_bytes.set(static_cast<std::int64_t>(unwritten));
  if (!writer_) return;
  metrics.checkpoint_milliseconds.set(writer_->checkpoint_nanoseconds() / 1'000'000);
  metrics.checkpoint_bytes.set(static_cast<std::int64_t>(writer_->checkpoint_bytes()));
  metrics.uploaded_bytes.increment(writer_->take_uploaded_bytes());
}

bool KeyedState::congested() {
  if (memory_ == 0) return false;
  hand_over_changes();
  return bytes_frozen() + changes_.bytes() > most_waiting();
}

// Changes that wait for what is frozen do not hold that up.
bool KeyedState::writer_is_behind() {
  if (!frozen_) return congested();
  return memory_ != 0 && bytes_frozen() > most_waiting();
}

std::size_t KeyedState::bytes_frozen() {
  return bytes_handed_over() + images_.bytes() + in_order_.bytes();
}

std::size_t KeyedState::most_waiting() const { return std::max(memory_ / 4, 2 * hand_over_bytes_); }

std::size_t KeyedState::bytes_handed_over() {
  forget_written();
  return handed_over_bytes_;
}

}  // namespace millrace::detail
