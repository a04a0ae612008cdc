#include "millrace/actors/task_runner.h"

#include <algorithm>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"

namespace millrace::detail {
namespace {

constexpr int kStepsPerRun = 8;  // elements, before other tasks get their turn

// How long a task that always has something to do may hold on to a partial batch or lines.
constexpr std::chrono::milliseconds kLongestHold{10};

// How long a task waits for the writer of its keyed state before it looks again.
constexpr std::chrono::milliseconds kWriterPause{1};

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
      checkpoints_(chain_, gate_, writers_, port_, start_),
      idle_timer_(idle_after(chain_.source()), clock.monotonic()),
      metrics_(metrics),
      last_run_(clock.monotonic()),
      flushed_at_(last_run_) {
  gate_.set_mode(start_.mode);
}

Status TaskRunner::open(const std::function<OperatorContext(std::size_t)>& context_of) {
  std::vector<RestoredOperator>& restored = start_.restored.operators;
  restored.resize(chain_.size());
  std::vector<OperatorContext> places;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    places.push_back(context_of(i));
    environments_.push_back(start_.state);
    environments_.back().restored = std::move(restored[i].keyed);
  }
  for (std::size_t i = 0; i < chain_.size(); ++i) places[i].state = &environments_[i];
  Status opened = chain_.open(
      [&](std::size_t i) { return places[i]; },
      [&](std::size_t i) { return restored[i].snapshot ? &*restored[i].snapshot : nullptr; });
  if (!opened) return opened;
  restored.clear();
  pass(FailPoint::kTaskOpened);
  checkpoints_.begin(std::move(places));
  if (start_.restored.finished) phase_ = Phase::kEndingAgain;
  Status ready;
  for (const StoredFile& file : start_.restored.in_flight) {
    if (ready) ready = checkpoints_.restore_in_flight(file);
  }
  if (ready && start_.checkpoint) {
    pass(FailPoint::kTaskRestored);
    ready = checkpoints_.commit(*start_.checkpoint);
  }
  if (!ready) (void)chain_.close();  // what failed says more than what fails then
  return ready;
}

void TaskRunner::start() {
  for (const auto& writer : writers_) writer->send_restored();
}

void TaskRunner::on_element(std::size_t channel, Element element) {
  const CheckpointId checkpoint = element.barrier.checkpoint;
  if (!gate_.push(channel, std::move(element))) port_.decline(checkpoint, std::nullopt);
}

void TaskRunner::on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch,
                           std::size_t bytes) {
  writers_[exchange]->on_credit(channel, std::move(batch), bytes);
}

void TaskRunner::hold(std::size_t exchange, std::size_t channel, bool held) {
  writers_[exchange]->hold(channel, held);
}

Status TaskRunner::on_split(std::optional<std::string> split, std::string schema) {
  if (due_) {
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
  hurry();
  Result<State> state = work();
  if (!state) return state.error();
  if (*state == State::kReady && begin >= flushed_at_ + kLongestHold) {
    if (Status flushed = flush(); !flushed) return flushed.error();
    flushed_at_ = begin;
    checkpoints_.report(metrics_);
  }
  if (*state != State::kReady) checkpoints_.report(metrics_);
  account(begin, *state);
  const bool waits_for_input = *state == State::kIdle && !stopped_;
  const auto input_due = waits_for_input ? sooner(poll_at_, idle_timer_.due()) : std::nullopt;
  auto due = sooner(input_due, barrier_due());
  if (*state != State::kReady && congested()) due = sooner(due, last_run_ + kWriterPause);
  if (!due) return Outcome{*state, std::nullopt};
  return Outcome{*state, std::max(*due - last_run_, std::chrono::nanoseconds(0))};
}

// The barrier that is next to be taken, whether its turn has come or not.
const Barrier* TaskRunner::next_barrier() const {
  if (due_) return &*due_;
  return checkpoints_.may_overtake() ? gate_.waiting_barrier() : nullptr;
}

// A barrier that has waited too long does not wait for its turn, and the chain may come to an end
// of what it is at work on without credit.
void TaskRunner::hurry() {
  const Barrier* const next = next_barrier();
  if (next == nullptr && !checkpoints_.waits() && !hurries_) return;
  const Timestamp now = clock_.now();
  hurries_ = next != nullptr && next->overtakes_at <= now;
  if (hurries_ && !due_) due_ = *next;
  for (const auto& writer : writers_) writer->let_overdraw(hurries_);
  checkpoints_.on_time(now);
}

// When a barrier will have waited too long, by the monotonic clock.
std::optional<std::chrono::nanoseconds> TaskRunner::barrier_due() const {
  const Barrier* const next = next_barrier();
  const Timestamp at =
      std::min(next ? next->overtakes_at : kMaxTimestamp, checkpoints_.overtakes_at());
  if (at == kMaxTimestamp) return std::nullopt;
  return clock_.monotonic() + std::max(at - clock_.now(), Duration(0));
}

Result<TaskRunner::State> TaskRunner::work() {
  for (int i = 0; i < kStepsPerRun; ++i) {
    Result<bool> worked = step();
    if (!worked) return worked.error();
    Result<bool> written = needs_backends() ? checkpoints_.work() : false;
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

// What a finished task has not written nobody will ask for, but for a checkpoint under way.
bool TaskRunner::needs_backends() const {
  return phase_ != Phase::kFinished || checkpoints_.frozen();
}

bool TaskRunner::congested() const { return needs_backends() && checkpoints_.congested(); }

Result<bool> TaskRunner::step() {
  const bool between_phases = phase_ == Phase::kRunning || phase_ == Phase::kFinished;
  if (due_ && chain_.idle() && between_phases) return take_due();
  if (blocked()) return false;
  if (phase_ != Phase::kFinished && congested()) return false;
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
    case Element::Kind::kBarrier:
      due_ = next->element.barrier;
      return true;
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
  if (is_mutant(Mutant::kDropRecord, 100)) ++cursor_.next;
  Result<Progress> progress = chain_.process(current_->input, cursor_);
  if (!progress) return progress.error();
  if (*progress == Progress::kDone) complete_batch();
  return true;
}

void TaskRunner::complete_batch() {
  if (!current_) return;
  if (current_->element.restored) return current_.reset();
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
// Whoever sends records all the same may go on.
Result<bool> TaskRunner::step_finished() {
  std::optional<InputGate::Next> next = gate_.pop();
  if (!next) return false;
  if (next->element.kind == Element::Kind::kBarrier) due_ = next->element.barrier;
  if (next->element.kind == Element::Kind::kBatch) {
    current_ = *std::move(next);
    current_bytes_ = current_->element.batch->bytes();
    complete_batch();
  }
  return true;
}

Result<TaskRunner::State> TaskRunner::rest() {
  if (phase_ != Phase::kFinished) {
    if (Status flushed = flush(); !flushed) return flushed.error();
  }
  if (blocked()) return State::kBlocked;
  if (phase_ == Phase::kFinished) return State::kFinished;
  return congested() ? State::kBlocked : State::kIdle;
}

Status TaskRunner::flush() {
  Status flushed = blocked() ? Status() : chain_.flush();
  for (const auto& writer : writers_) writer->flush();
  return flushed;
}

// An abort comes without the enumerator: it may be faster than its trigger, or slower than the
// next.
Status TaskRunner::on_trigger(const Barrier& barrier) {
  if (barrier.checkpoint <= aborted_) return {};
  if (due_ && due_->checkpoint < barrier.checkpoint) {
    if (Status ended = end_trigger(); !ended) return ended;
  }
  check(!due_, "two checkpoints are under way at once");
  due_ = barrier;
  return {};
}

// A watermark that is due before the barrier may leave the chain at work.
Result<bool> TaskRunner::take_due() {
  Status flushed = chain_.flush();
  if (!flushed) return flushed.error();
  if (!chain_.idle()) return true;
  const Barrier barrier = *std::exchange(due_, std::nullopt);
  Status taken = checkpoints_.take(barrier, phase_ == Phase::kFinished);
  if (!taken) return taken.error();
  const bool stops = barrier.savepoint && barrier.savepoint->stops;
  if (chain_.source() && stops) stopped_ = barrier.checkpoint;
  checkpoints_.on_time(clock_.now());
  Status assigned = end_trigger();
  if (!assigned) return assigned.error();
  return true;
}

// A split that came behind the trigger is not the checkpoint's, nor is the word that there is none.
Status TaskRunner::end_trigger() {
  due_.reset();
  if (!std::exchange(split_came_, false)) return {};
  return on_split(std::exchange(after_trigger_, std::nullopt),
                  std::exchange(after_trigger_schema_, {}));
}

void TaskRunner::on_written(CheckpointId checkpoint, std::size_t index,
                            Result<KeyedSnapshot> keyed) {
  checkpoints_.on_written(checkpoint, index, std::move(keyed));
}

void TaskRunner::on_stored(CheckpointId checkpoint, Result<StoredFile> in_flight) {
  checkpoints_.on_stored(checkpoint, std::move(in_flight));
}

Status TaskRunner::on_abort(CheckpointId checkpoint) {
  gate_.give_up(checkpoint);
  aborted_ = std::max(aborted_, checkpoint);
  checkpoints_.on_abort(checkpoint);
  if (stopped_ == checkpoint) stopped_.reset();
  return due_ && due_->checkpoint <= checkpoint ? end_trigger() : Status();
}

Status TaskRunner::on_complete(CheckpointId checkpoint) {
  return checkpoints_.on_complete(checkpoint);
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
