#include "millrace/actors/task_checkpoints.h"

#include <algorithm>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/core/text.h"

namespace millrace::detail {

TaskCheckpoints::TaskCheckpoints(Chain& chain, InputGate& gate, Writers& writers, TaskPort& port,
                                 const TaskStart& start)
    : chain_(chain), gate_(gate), writers_(writers), port_(port), start_(start) {}

void TaskCheckpoints::begin(std::vector<OperatorContext> places) {
  places_ = std::move(places);
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (KeyedBackend* backend = chain_.operator_at(i).keyed_backend()) {
      backends_.emplace_back(i, backend);
    }
  }
  may_overtake_ = start_.state.checkpoints != nullptr && start_.state.executor != nullptr;
  for (std::size_t i = 0; i < gate_.channels(); ++i) {
    may_overtake_ = may_overtake_ && gate_.records_of(i).type != nullptr;
  }
  for (const auto& writer : writers_) {
    may_overtake_ = may_overtake_ && writer->records().type != nullptr;
  }
}

template <class Call>
Status TaskCheckpoints::each_sink(Call call) {
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    auto* sink = dynamic_cast<AnySink*>(&chain_.operator_at(i));
    if (sink == nullptr) continue;
    Status called = chain_.guard(i, [&] { return call(*sink); });
    if (!called) return called;
  }
  return {};
}

Status TaskCheckpoints::take(const Barrier& barrier, bool finished) {
  pass(FailPoint::kBarrierTaken);
  note_completed(barrier.completed);
  abandon();
  const CheckpointId checkpoint = barrier.checkpoint;
  const bool skips = is_mutant(Mutant::kLeaveSinkUnprepared) && checkpoint.value() % 2 == 0;
  Status prepared =
      each_sink([&](AnySink& sink) { return skips ? Status() : sink.prepare(checkpoint); });
  if (!prepared) return prepared;
  Result<TaskSnapshot> taken = snapshot(finished);
  if (!taken) return taken.error();
  taken_ = Taken{.barrier = barrier, .snapshot = *std::move(taken)};
  !finished || barrier.writes_rows() ? freeze(barrier) : leave_out(checkpoint);
  if (is_mutant(Mutant::kCommitBeforeCompletion)) (void)commit(checkpoint);
  const Barrier* const waiting = gate_.waiting_barrier();
  if (waiting != nullptr && waiting->checkpoint == checkpoint) overtake_inputs();
  for (const auto& writer : writers_) writer->barrier(barrier);
  acknowledge_if_complete();
  return {};
}

Result<TaskSnapshot> TaskCheckpoints::snapshot(bool finished) {
  TaskSnapshot task{.finished = finished};
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    Snapshot snapshot;
    Status taken = chain_.guard(i, [&] { return chain_.operator_at(i).snapshot(snapshot); });
    if (!taken) return taken.error();
    const OperatorContext& place = places_[i];
    task.operators.push_back({.id = place.id.value(),
                              .name = chain_.name_of(i),
                              .subtask = place.subtask.value(),
                              .parallelism = place.parallelism,
                              .max_parallelism = place.max_parallelism,
                              .pieces = {snapshot.pieces().begin(), snapshot.pieces().end()}});
  }
  return task;
}

void TaskCheckpoints::leave_out(CheckpointId checkpoint) {
  for (const auto& [index, backend] : backends_) backend->leave_out(name_of(checkpoint));
}

// Nothing will ask for the keyed state of a task that has finished, but people who look into it.
void TaskCheckpoints::freeze(const Barrier& barrier) {
  if (backends_.empty()) return;
  const CheckpointId checkpoint = barrier.checkpoint;
  frozen_ = checkpoint;
  taken_->unwritten = backends_.size();
  const std::shared_ptr<CheckpointStore> rows = store_for_rows(barrier);
  for (const auto& [index, backend] : backends_) {
    const OperatorContext& place = places_[index];
    if (rows) backend->save_rows({rows, place.id.value(), place.subtask.value()});
    backend->freeze(name_of(checkpoint), port_.when_written(checkpoint, index));
  }
}

std::shared_ptr<CheckpointStore> TaskCheckpoints::store_for_rows(const Barrier& barrier) const {
  if (!barrier.writes_rows()) return nullptr;
  check(start_.savepoints != nullptr, "a savepoint is taken where there is no place for it");
  return start_.savepoints->open(barrier.savepoint->path);
}

void TaskCheckpoints::overtake_inputs() {
  gate_.overtake([this](std::size_t channel, const Element& element) {
    record({.channel = static_cast<std::uint32_t>(channel)}, element, gate_.records_of(channel));
  });
}

void TaskCheckpoints::overtake_outputs() {
  for (std::size_t exchange = 0; exchange < writers_.size(); ++exchange) {
    ChannelWriter& writer = *writers_[exchange];
    writer.overtake([&](std::size_t channel, const Element& element) {
      record({.at_sender = true,
              .exchange = static_cast<std::uint32_t>(exchange),
              .channel = static_cast<std::uint32_t>(channel)},
             element, writer.records());
    });
  }
}

void TaskCheckpoints::record(const InFlightPlace& place, const Element& element,
                             const ChannelRecords& records) {
  if (!taken_) return;  // it was declined
  if (is_mutant(Mutant::kForgetInFlight)) return;
  Status added = taken_->in_flight.add(place, element, records);
  if (!added) decline(added.error());
}

Result<bool> TaskCheckpoints::work() {
  bool worked = false;
  for (const auto& [index, backend] : backends_) {
    Result<bool> more = chain_.guard(index, [backend = backend] { return backend->work(); });
    if (!more) return more.error();
    worked = worked || *more;
  }
  return worked;
}

bool TaskCheckpoints::congested() const {
  return std::ranges::any_of(backends_,
                             [](const auto& backend) { return backend.second->congested(); });
}

void TaskCheckpoints::report(TaskMetrics& metrics) const {
  for (const auto& [index, backend] : backends_) {
    if (index < metrics.states.size()) backend->report(metrics.states[index]);
  }
}

bool TaskCheckpoints::barrier_may_overtake() const {
  return taken_ && may_overtake_ && taken_->barrier.overtakes_at != kMaxTimestamp &&
         std::ranges::any_of(writers_, [](const auto& writer) { return writer->holds_barrier(); });
}

Timestamp TaskCheckpoints::overtakes_at() const {
  return barrier_may_overtake() ? taken_->barrier.overtakes_at : kMaxTimestamp;
}

void TaskCheckpoints::on_time(Timestamp now) {
  if (barrier_may_overtake() && taken_->barrier.overtakes_at <= now) overtake_outputs();
  acknowledge_if_complete();
}

void TaskCheckpoints::acknowledge_if_complete() {
  if (!taken_ || taken_->unwritten > 0 || taken_->storing) return;
  if (gate_.awaits(taken_->barrier.checkpoint) || barrier_may_overtake()) return;
  if (!taken_->in_flight.empty()) return store_in_flight();
  port_.acknowledge(taken_->barrier, std::move(taken_->snapshot));
  pass(FailPoint::kAcknowledged);
  taken_.reset();
}

void TaskCheckpoints::store_in_flight() {
  Result<std::string> bytes = std::exchange(taken_->in_flight, {}).encode();
  if (!bytes) return decline(bytes.error());
  taken_->storing = true;
  const CheckpointName name = name_of(taken_->barrier.checkpoint);
  start_.state.executor->execute(
      [name, bytes = *std::move(bytes), store = start_.state.checkpoints,
       done = port_.when_stored(name.id)] { done(store->put(name, "in-flight", bytes)); });
}

void TaskCheckpoints::on_stored(CheckpointId checkpoint, Result<StoredFile> file) {
  if (!taken_ || taken_->barrier.checkpoint != checkpoint) return;
  if (!file) return decline(file.error().with_context("writing records in flight"));
  pass(FailPoint::kInFlightStored);
  taken_->storing = false;
  taken_->snapshot.in_flight.push_back(*std::move(file));
  acknowledge_if_complete();
}

void TaskCheckpoints::on_written(CheckpointId checkpoint, std::size_t index,
                                 Result<KeyedSnapshot> keyed) {
  if (!taken_ || taken_->barrier.checkpoint != checkpoint) return;
  keyed = chain_.guard(index, [&] { return std::move(keyed); });
  if (!keyed) return decline(keyed.error());
  taken_->snapshot.operators[index].keyed.push_back(*std::move(keyed));
  --taken_->unwritten;
  acknowledge_if_complete();
}

void TaskCheckpoints::decline(const Error& error) {
  port_.decline(taken_->barrier.checkpoint, error);
  abandon();
}

// What is frozen will not be part of a checkpoint.
void TaskCheckpoints::abandon() {
  taken_.reset();
  if (!frozen_) return;
  for (const auto& [index, backend] : backends_) backend->abandon(name_of(*frozen_));
  frozen_.reset();
}

void TaskCheckpoints::on_abort(CheckpointId checkpoint) {
  if (frozen_ && *frozen_ <= checkpoint) abandon();
  if (taken_ && taken_->barrier.checkpoint <= checkpoint) taken_.reset();
}

void TaskCheckpoints::note_completed(CheckpointId checkpoint) {
  if (checkpoint <= completed_) return;
  completed_ = checkpoint;
  for (const auto& [index, backend] : backends_) backend->completed(name_of(checkpoint));
  if (frozen_ == checkpoint) frozen_.reset();
}

// The barrier of the next one may have come before.
Status TaskCheckpoints::on_complete(CheckpointId checkpoint) {
  note_completed(checkpoint);
  return commit(checkpoint);
}

Status TaskCheckpoints::commit(CheckpointId checkpoint) {
  return each_sink([&](AnySink& sink) { return sink.commit(checkpoint); });
}

Status TaskCheckpoints::restore_in_flight(const StoredFile& file) {
  const StateEnvironment& state = start_.state;
  const Result<std::string> bytes = (state.origin ? *state.origin : *state.checkpoints).fetch(file);
  if (!bytes) return bytes.error();
  const auto records_at = [&](const InFlightPlace& place) -> const ChannelRecords* {
    if (!place.at_sender) {
      return place.channel < gate_.channels() ? &gate_.records_of(place.channel) : nullptr;
    }
    const bool known =
        place.exchange < writers_.size() && place.channel < writers_[place.exchange]->channels();
    return known ? &writers_[place.exchange]->records() : nullptr;
  };
  Result<std::vector<InFlightElement>> elements = read_in_flight(*bytes, records_at);
  if (!elements) return elements.error();
  pass(FailPoint::kInFlightRestored);
  for (auto& [place, element] : *elements) {
    if (place.at_sender) {
      writers_[place.exchange]->restore(place.channel, std::move(element));
    } else {
      gate_.push(place.channel, std::move(element));
    }
  }
  return {};
}

}  // namespace millrace::detail
