#include "millrace/actors/task_runner.h"

#include <algorithm>

#include "millrace/operators/any_sink.h"

namespace millrace::detail {
namespace {

constexpr int kStepsPerRun = 8;  // elements, before other tasks get their turn
constexpr CheckpointId kFinalCheckpoint{1};

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
                       const Clock& clock, TaskMetrics& metrics)
    : chain_(std::move(chain)),
      gate_(std::move(inputs)),
      writers_(std::move(writers)),
      port_(port),
      clock_(clock),
      idle_timer_(idle_after(chain_.source()), clock.monotonic()),
      metrics_(metrics),
      last_run_(clock.monotonic()),
      flushed_at_(last_run_) {}

Status TaskRunner::open(const std::function<OperatorContext(std::size_t)>& context_of) {
  return chain_.open(context_of);
}

void TaskRunner::on_element(std::size_t channel, Element element) {
  gate_.push(channel, std::move(element));
}

void TaskRunner::on_credit(std::size_t exchange, std::size_t channel, BatchPtr batch,
                           std::size_t bytes) {
  writers_[exchange]->on_credit(channel, std::move(batch), bytes);
}

Status TaskRunner::on_split(std::string_view split) {
  split_requested_ = false;
  poll_at_.reset();
  return chain_.source()->assign(split);
}

void TaskRunner::on_no_more_splits() {
  poll_at_.reset();
  chain_.source()->no_more_splits();
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
  if (*state == State::kIdle && wake_at) {
    outcome.wake_after = std::max(*wake_at - last_run_, std::chrono::nanoseconds(0));
  }
  return outcome;
}

Result<TaskRunner::State> TaskRunner::work() {
  for (int i = 0; i < kStepsPerRun; ++i) {
    Result<bool> worked = step();
    if (!worked) return worked.error();
    if (!*worked) return rest();
  }
  return State::kReady;
}

bool TaskRunner::blocked() const {
  return std::ranges::any_of(writers_, [](const auto& writer) { return !writer->ready(); });
}

Result<bool> TaskRunner::step() {
  if (blocked()) return false;
  if (!chain_.idle()) {
    Result<Progress> progress = chain_.resume();
    if (!progress) return progress.error();
    if (*progress == Progress::kMore) return true;
    complete_batch();
    return true;
  }
  if (phase_ != Phase::kRunning) return step_phase();
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
      break;
  }
  return internal("a checkpoint barrier came to a task that takes no checkpoints");
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
    case Phase::kEnding: {
      phase_ = Phase::kFinishing;
      if (!chain_.source())
        return true;  // it came through the channels, unless the job was stopped
      Result<Progress> progress = chain_.watermark(kMaxTimestamp);
      if (!progress) return progress.error();
      return true;
    }
    case Phase::kFinishing: {
      phase_ = Phase::kDraining;
      Result<Progress> progress = chain_.finish();
      if (!progress) return progress.error();
      return true;
    }
    case Phase::kDraining: {
      phase_ = Phase::kFinished;
      Status prepared = prepare_sinks();
      if (!prepared) return prepared.error();
      return true;
    }
    case Phase::kRunning:
    case Phase::kFinished:
      break;
  }
  return false;
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

Status TaskRunner::prepare_sinks() {
  Status flushed = chain_.flush();
  if (!flushed) return flushed;
  return each_sink([](AnySink& sink) { return sink.prepare(kFinalCheckpoint); });
}

Status TaskRunner::commit() {
  return each_sink([](AnySink& sink) { return sink.commit(kFinalCheckpoint); });
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
