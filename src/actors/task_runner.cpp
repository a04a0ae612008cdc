#include "millrace/actors/task_runner.h"

#include <algorithm>

#include "millrace/operators/any_sink.h"

namespace millrace::detail {
namespace {

constexpr int kStepsPerRun = 8;  // elements, before other tasks get their turn

// How long a task that always has something to do may hold on to a partial batch or lines.
constexpr std::chrono::milliseconds kLongestHold{10};

std::optional<std::chrono::nanoseconds> idle_after(AnySource* source) {
  const WatermarkGenerator* const watermarks = source ? source->watermarks() : nullptr;
  return watermarks ? watermarks->time().strategy.idle_after() : std::nullopt;
}

// The sooner one of those that are there.
std::optional<std::chrono::nanoseconds> sooner(std::optional<std::chrono::nanoseconds> a,
                                               std::optional<std::chrono::nanoseconds> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

}  // namespace

TaskRunner::TaskRunner(Chain chain, std::vector<InputChannel> inputs,
                       std::vector<std::unique_ptr<ChannelWriter>> writers, TaskPort& port,
                       const Clock& clock, TaskMetrics& metrics, TaskStart start)
    : chain_(std::move(chain)),
      gate_(std::move(inputs)),
      writers_(std::move(writers)),
      port_(port),
      clock_(clock),
      start_(std::move(start)),
      idle_timer_(idle_after(chain_.source()), clock.monotonic()),
      metrics_(metrics),
      last_run_(clock.monotonic()),
      flushed_at_(last_run_) {
  gate_.set_mode(start_.mode);
}

Status TaskRunner::open(const std::function<OperatorContext(std::size_t)>& context_of) {
  std::vector<RestoredOperator>& restored = start_.restored.operators;
  restored.resize(chain_.size());
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    places_.push_back(context_of(i));
    environments_.push_back(start_.state);
    environments_.back().restored = std::move(restored[i].keyed);
  }
  for (std::size_t i = 0; i < chain_.size(); ++i) places_[i].state = &environments_[i];
  Status opened = chain_.open(
      [&](std::size_t i) { return places_[i]; },
      [&](std::size_t i) { return restored[i].snapshot ? &*restored[i].snapshot : nullptr; });
  if (!opened) return opened;
  restored.clear();
  find_backends();
  if (start_.restored.finished) phase_ = Phase::kEndingAgain;
  if (!start_.checkpoint) return {};
  Status committed = commit(*start_.checkpoint);
  if (!committed) (void)chain_.close();  // what failed to commit says more than what fails then
  return committed;
}

void TaskRunner::find_backends() {
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (KeyedBackend* backend = chain_.operator_at(i).keyed_backend()) {
      backends_.emplace_back(i, backend);
    }
  }
}

void TaskRunner::on_element(std::size_t channel, Element element) {
  const CheckpointId checkpoint = element.checkpoint;
  if (!gate_.push(channel, std::move(element))) port_.decline(checkpoint, std::nullopt);
}

void TaskRunner::on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch,
                           std::size_t bytes) {
  writers_[exchange]->on_credit(channel, std::move(batch), bytes);
}

Status TaskRunner::on_split(std::optional<std::string> split, std::string schema) {
  if (triggered_) {
    after_trigger_ = std::move(split);
    after_trigger_schema_ = std::move(schema);
    split_came_ = true;
    return {};
  }
  split_requested_ = false;
  poll_at_.reset();
  if (split) return chain_.source()->assign(*split, schema);
  chain_.source()->no_more_splits();
  return {};
}

Result<TaskRunner::Outcome> TaskRunner::run() {
  const std::chrono::nanoseconds begin = clock_.monotonic();
  if (last_state_ == State::kBlocked) idle_timer_.on_backpressure(begin);
  Result<State> state = work();
  if (!state) return state.error();
  if (*state == State::kReady && begin >= flushed_at_ + kLongestHold) {
    if (Status flushed = flush(); !flushed) return flushed.error();
    flushed_at_ = begin;
  }
  account(begin, *state);
  Outcome outcome{*state, std::nullopt};
  const auto wake_at = sooner(poll_at_, idle_timer_.due());
  if (*state == State::kIdle && wake_at && !stopped_) {
    outcome.wake_after = std::max(*wake_at - last_run_, std::chrono::nanoseconds(0));
  }
  return outcome;
}

Result<TaskRunner::State> TaskRunner::work() {
  for (int i = 0; i < kStepsPerRun; ++i) {
    Result<bool> worked = step();
    if (!worked) return worked.error();
    Result<bool> written = step_backends();
    if (!written) return written.error();
    if (*worked) continue;
    Result<State> state = rest();
    if (!state || !*written) return state;
  }
  return State::kReady;
}

bool TaskRunner::blocked() const {
  return std::ranges::any_of(writers_, [](const auto& writer) { return !writer->ready(); });
}

Result<bool> TaskRunner::step() {
  if (triggered_ && chain_.idle() && (phase_ == Phase::kRunning || phase_ == Phase::kFinished)) {
    Status taken = take(*triggered_);
    if (!taken) return taken.error();
    if (is_savepoint(*triggered_) && savepoint_->stops) stopped_ = triggered_;
    Status assigned = end_trigger();
    if (!assigned) return assigned.error();
    return true;
  }
  if (blocked()) return false;
  if (!chain_.idle()) {
    Result<Progress> progress = chain_.resume();
    if (!progress) return progress.error();
    if (*progress == Progress::kMore) return true;
    complete_batch();
    return true;
  }
  if (draining_ && phase_ == Phase::kRunning) phase_ = Phase::kEnding;
  if (phase_ != Phase::kRunning) return step_phase();
  if (stopped_) return false;
  return chain_.source() ? step_source() : step_input();
}

Result<bool> TaskRunner::step_input() {
  std::optional<InputGate::Next> next = gate_.pop();
  if (!next) return false;
  switch (next->element.kind) {
    case Element::Kind::kBatch:
      return begin_batch(*std::move(next));
    case Element::Kind::kWatermark:
      return handle_time(next->element);
    case Element::Kind::kEnd:
      phase_ = Phase::kEnding;
      return true;
    case Element::Kind::kBarrier: {
      Status taken = take(next->element.checkpoint);
      if (!taken) return taken.error();
      return true;
    }
  }
  return false;
}

Result<bool> TaskRunner::handle_time(const Element& element) {
  if (!element.idle) {
    metrics_.watermark_milliseconds.set(element.watermark.time_since_epoch().count());
  }
  Result<Progress> progress =
      element.idle ? chain_.mark_idle() : chain_.watermark(element.watermark);
  if (!progress) return progress.error();
  return true;
}

Result<bool> TaskRunner::begin_batch(InputGate::Next next) {
  current_ = std::move(next);
  AnyBatch& batch = *current_->element.batch;
  current_bytes_ = batch.bytes();
  metrics_.records_in.increment(batch.size());
  cursor_ = {.batch = &batch, .next = 0, .shared = !current_->element.batch.unique()};
  Result<Progress> progress = chain_.process(current_->input, cursor_);
  if (!progress) return progress.error();
  if (*progress == Progress::kDone) complete_batch();
  return true;
}

void TaskRunner::complete_batch() {
  if (!current_) return;
  BatchPtr batch = BatchPool::of_this_thread().put_if_few(std::move(current_->element.batch));
  port_.return_credit(current_->channel, std::move(batch), current_bytes_);
  current_.reset();
}

Result<bool> TaskRunner::step_source() {
  if (poll_at_ && clock_.monotonic() < *poll_at_) return mark_if_idle();
  return poll_source();
}

// Whether the source has become idle, which those who wait for its watermark are told.
Result<bool> TaskRunner::mark_if_idle() {
  if (!chain_.idle() || !idle_timer_.becomes_idle(clock_.monotonic())) return false;
  Result<Progress> marked = chain_.mark_idle();
  if (!marked) return marked.error();
  return true;
}

Result<bool> TaskRunner::poll_source() {
  AnySource& source = *chain_.source();
  poll_at_.reset();
  const std::uint64_t records = chain_.records_out(0);
  Result<Poll> poll = chain_.poll();
  if (!poll) return poll.error();
  if (chain_.records_out(0) != records) idle_timer_.on_records(clock_.monotonic());
  Result<bool> marked = mark_if_idle();
  if (!marked) return marked;
  if (source.wants_split() && !std::exchange(split_requested_, true)) port_.request_split();
  switch (poll->kind()) {
    case Poll::Kind::kMore:
      break;
    case Poll::Kind::kEnd:
      phase_ = Phase::kEnding;
      break;
    case Poll::Kind::kIdle:
      poll_at_ = clock_.monotonic() + poll->pause();
      return false;  // the input ran empty, however short the pause
  }
  return true;
}

Result<bool> TaskRunner::step_phase() {
  switch (phase_) {
    case Phase::kEndingAgain:
      phase_ = Phase::kFinished;
      for (const auto& writer : writers_) {
        writer->watermark(kMaxTimestamp);
        writer->finish();
      }
      return true;
    case Phase::kEnding: {
      phase_ = Phase::kFinishing;
      if (!chain_.source())
        return true;  // it came through the channels, unless the job was stopped
      Result<Progress> progress = chain_.watermark(kMaxTimestamp);
      if (!progress) return progress.error();
      return true;
    }
    case Phase::kFinishing: {
      phase_ = Phase::kFinished;
      Result<Progress> progress = chain_.finish();
      if (!progress) return progress.error();
      return true;
    }
    case Phase::kFinished:
      return step_finished();
    case Phase::kRunning:
      break;
  }
  return false;
}

// After the end only barriers come; one that goes on from a finished checkpoint sees the end again.
Result<bool> TaskRunner::step_finished() {
  std::optional<InputGate::Next> next = gate_.pop();
  if (!next) return false;
  if (next->element.kind != Element::Kind::kBarrier) return true;
  Status taken = take(next->element.checkpoint);
  if (!taken) return taken.error();
  return true;
}

Result<bool> TaskRunner::step_backends() {
  bool worked = false;
  for (const auto& [index, backend] : backends_) {
    Result<bool> more = chain_.guard(index, [backend = backend] { return backend->work(); });
    if (!more) return more.error();
    worked = worked || *more;
  }
  return worked;
}

Result<TaskRunner::State> TaskRunner::rest() {
  if (phase_ != Phase::kFinished) {
    if (Status flushed = flush(); !flushed) return flushed.error();
  }
  if (blocked()) return State::kBlocked;
  return phase_ == Phase::kFinished ? State::kFinished : State::kIdle;
}

Status TaskRunner::flush() {
  Status flushed = blocked() ? Status() : chain_.flush();
  for (const auto& writer : writers_) writer->flush();
  return flushed;
}

template <class Call>
Status TaskRunner::each_sink(Call call) {
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    auto* sink = dynamic_cast<AnySink*>(&chain_.operator_at(i));
    if (sink == nullptr) continue;
    Status called = chain_.guard(i, [&] { return call(*sink); });
    if (!called) return called;
  }
  return {};
}

void TaskRunner::on_trigger(CheckpointId checkpoint) {
  if (checkpoint <= aborted_) return;  // that news was faster: it came without the enumerator
  check(!triggered_, "two checkpoints are under way at once");
  triggered_ = checkpoint;
}

// A split that came behind the trigger is not the checkpoint's, nor is the word that there is none.
Status TaskRunner::end_trigger() {
  triggered_.reset();
  if (!std::exchange(split_came_, false)) return {};
  return on_split(std::exchange(after_trigger_, std::nullopt),
                  std::exchange(after_trigger_schema_, {}));
}

Status TaskRunner::take(CheckpointId checkpoint) {
  abandon();
  Status flushed = chain_.flush();
  if (!flushed) return flushed;
  Status prepared = each_sink([&](AnySink& sink) { return sink.prepare(checkpoint); });
  if (!prepared) return prepared;
  Result<TaskSnapshot> taken = snapshot();
  if (!taken) return taken.error();
  taken_ = Taken{.id = checkpoint, .snapshot = *std::move(taken)};
  freeze(checkpoint);
  for (const auto& writer : writers_) writer->barrier(checkpoint);
  acknowledge_if_written();
  return {};
}

Result<TaskSnapshot> TaskRunner::snapshot() {
  TaskSnapshot task{.finished = phase_ == Phase::kFinished};
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

// Of a task that has finished people may want to see the state.
void TaskRunner::freeze(CheckpointId checkpoint) {
  if (backends_.empty() || (phase_ == Phase::kFinished && !is_savepoint(checkpoint))) return;
  frozen_ = checkpoint;
  taken_->missing = backends_.size();
  for (const auto& [index, backend] : backends_) {
    const OperatorContext& place = places_[index];
    if (is_savepoint(checkpoint)) {
      backend->save_rows({savepoint_->store, place.id.value(), place.subtask.value()});
    }
    backend->freeze(name_of(checkpoint), port_.when_written(checkpoint, index));
  }
}

void TaskRunner::on_written(CheckpointId checkpoint, std::size_t index,
                            Result<KeyedSnapshot> keyed) {
  if (!taken_ || taken_->id != checkpoint) return;
  keyed = chain_.guard(index, [&] { return std::move(keyed); });
  if (!keyed) {
    port_.decline(checkpoint, keyed.error());
    return abandon();
  }
  taken_->snapshot.operators[index].keyed.push_back(*std::move(keyed));
  --taken_->missing;
  acknowledge_if_written();
}

void TaskRunner::acknowledge_if_written() {
  if (!taken_ || taken_->missing > 0) return;
  port_.acknowledge(taken_->id, std::move(taken_->snapshot));
  taken_.reset();
}

Status TaskRunner::on_abort(CheckpointId checkpoint) {
  gate_.give_up(checkpoint);
  aborted_ = checkpoint;
  if (frozen_ == checkpoint) abandon();
  if (taken_ && taken_->id == checkpoint) taken_.reset();
  if (stopped_ == checkpoint) stopped_.reset();
  return triggered_ == checkpoint ? end_trigger() : Status();
}

// What is frozen will not be part of a checkpoint.
void TaskRunner::abandon() {
  taken_.reset();
  if (!frozen_) return;
  for (const auto& [index, backend] : backends_) backend->abandon(name_of(*frozen_));
  frozen_.reset();
}

Status TaskRunner::on_complete(CheckpointId checkpoint) {
  if (frozen_ == checkpoint) {
    for (const auto& [index, backend] : backends_) backend->completed(name_of(checkpoint));
    frozen_.reset();
  }
  return commit(checkpoint);
}

Status TaskRunner::commit(CheckpointId checkpoint) {
  return each_sink([&](AnySink& sink) { return sink.commit(checkpoint); });
}

Status TaskRunner::close() { return chain_.close(); }

// Time between two runs counts as what the task was waiting for; ready, it was only queued.
void TaskRunner::account(std::chrono::nanoseconds begin, State state) {
  const std::chrono::nanoseconds end = clock_.monotonic();
  const auto count = [](std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  };
  switch (last_state_) {
    case State::kBlocked:
      metrics_.backpressured_nanoseconds.increment(count(begin - last_run_));
      break;
    case State::kReady:
      metrics_.busy_nanoseconds.increment(count(begin - last_run_));
      break;
    case State::kIdle:
    case State::kFinished:
      metrics_.idle_nanoseconds.increment(count(begin - last_run_));
      break;
  }
  metrics_.busy_nanoseconds.increment(count(end - begin));
  metrics_.records_out.increment(chain_.records_out(0) - metrics_.records_out.value());
  last_run_ = end;
  last_state_ = state;
}

}  // namespace millrace::detail
