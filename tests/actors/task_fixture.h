// A task for tests: a chain with one exchange, a scripted port and a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/actors/task_runner.h"
#include "millrace/testing/manual_clock.h"
#include "support/records_as_text.h"

namespace millrace::detail {

// Writes down what a task sends.
class ScriptedPort : public TaskPort {
 public:
  void send(std::size_t, std::size_t channel, Element element) override {
    if (channel >= sent.size()) sent.resize(channel + 1);
    sent[channel].push_back(std::move(element));
  }
  void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) override {
    credits.push_back({channel, std::move(batch), bytes});
  }
  void request_split() override { ++split_requests; }
  void acknowledge(const Barrier& barrier, TaskSnapshot snapshot) override {
    acknowledged.emplace_back(barrier.checkpoint, std::move(snapshot));
  }
  void decline(CheckpointId checkpoint, std::optional<Error> error) override {
    declined.emplace_back(checkpoint, std::move(error));
  }
  KeyedBackend::Done when_written(CheckpointId checkpoint, std::size_t index) override {
    return [this, checkpoint, index](Result<KeyedSnapshot> keyed) {
      written.push_back({checkpoint, index, std::move(keyed)});
    };
  }

  Stored when_stored(CheckpointId checkpoint) override {
    return [this, checkpoint](Result<StoredFile> file) {
      stored.emplace_back(checkpoint, std::move(file));
    };
  }

  struct Credit {
    std::size_t channel;
    BatchPtr batch;
    std::size_t bytes;
  };

  struct Written {
    CheckpointId checkpoint;
    std::size_t index;
    Result<KeyedSnapshot> keyed;
  };

  std::vector<std::vector<Element>> sent;  // by channel
  std::vector<std::pair<CheckpointId, TaskSnapshot>> acknowledged;
  std::vector<std::pair<CheckpointId, std::optional<Error>>> declined;
  std::vector<Written> written;  // keyed state, not told to the runner yet
  std::vector<std::pair<CheckpointId, Result<StoredFile>>> stored;  // not told to the runner yet
  std::vector<Credit> credits;
  int split_requests = 0;
};

class TestTask {
 public:
  explicit TestTask(ChannelLimits limits = {}) : limits_(limits) {}

  // Appends an operator to the chain; the last one's first output leads to the exchange.
  template <class Out>
  TestTask& then(std::string name, std::unique_ptr<Operator> op) {
    if (!operators_.empty()) operators_.back().consumers.push_back({0, operators_.size()});
    std::vector<BatchPtr> outputs{make_batch<Out>()};
    operators_.push_back({std::move(name), std::move(op), Outputs(std::move(outputs), {}), {}});
    return *this;
  }
  template <class Out>
  TestTask& to_channels(std::size_t channels) {
    writers_.push_back(std::make_unique<ChannelWriter>(
        ChannelRecords{.type = &type_of<Out>(), .prototype = make_batch<Out>()}, channels,
        std::make_unique<RoundRobin>(0),
        [this](std::size_t channel, Element element) { port.send(0, channel, std::move(element)); },
        limits_));
    operators_.back().consumers.push_back({0, writers_.back().get()});
    return *this;
  }
  TestTask& from_channels(std::vector<InputChannel> channels) {
    inputs_ = std::move(channels);
    return *this;
  }
  void start(TaskStart start = {}) { ASSERT_TRUE(open(std::move(start))); }
  Status open(TaskStart start) {
    runner =
        std::make_unique<TaskRunner>(Chain(std::move(operators_)), std::move(inputs_),
                                     std::move(writers_), port, clock, metrics, std::move(start));
    return runner->open([](std::size_t) { return OperatorContext(); });
  }

  TaskRunner::State run() {
    Result<TaskRunner::Outcome> outcome = runner->run();
    EXPECT_TRUE(outcome) << outcome.error().message();
    wake_after = outcome ? outcome->wake_after : std::nullopt;
    return outcome ? outcome->state : TaskRunner::State::kFinished;
  }
  // Until there is something to wait for.
  TaskRunner::State run_until_it_waits() {
    TaskRunner::State state = run();
    for (int i = 0; state == TaskRunner::State::kReady && i < 10'000; ++i) state = run();
    return state;
  }

  template <class T>
  void receive(std::size_t channel, std::vector<T> values, Timestamp watermark = kMinTimestamp) {
    runner->on_element(channel, {.batch = batch_of(std::move(values)), .watermark = watermark});
  }
  void receive_watermark(std::size_t channel, Timestamp watermark) {
    runner->on_element(channel, {.kind = Element::Kind::kWatermark, .watermark = watermark});
  }
  void receive_idle(std::size_t channel) {
    runner->on_element(channel, {.kind = Element::Kind::kWatermark, .idle = true});
  }
  void receive_end(std::size_t channel) {
    runner->on_element(channel, {.kind = Element::Kind::kEnd});
  }

  void receive_barrier(std::size_t channel, std::uint64_t checkpoint,
                       Timestamp overtakes_at = kMaxTimestamp) {
    runner->on_element(channel, {.kind = Element::Kind::kBarrier,
                                 .barrier = {.checkpoint = CheckpointId(checkpoint),
                                             .overtakes_at = overtakes_at}});
  }

  // What was sent on a channel: records, "wN", "idle", "barrier N" and "end".
  template <class T>
  Lines sent(std::size_t channel = 0) const {
    Lines lines;
    if (channel >= port.sent.size()) return lines;
    for (const Element& element : port.sent[channel]) {
      if (element.batch) {
        for (std::string& line : lines_of<T>(*element.batch)) lines.push_back(std::move(line));
      }
      if (element.watermark != kMinTimestamp) {
        lines.push_back(element.watermark == kMaxTimestamp
                            ? "w max"
                            : "w" + std::to_string(element.watermark.time_since_epoch().count()));
      }
      if (element.idle) lines.push_back("idle");
      if (element.kind == Element::Kind::kBarrier) {
        lines.push_back("barrier " + to_string(element.barrier.checkpoint));
      }
      if (element.kind == Element::Kind::kEnd) lines.push_back("end");
    }
    return lines;
  }

  // The receiver gives a copy's worth of credit back for batch `number` of channel 0.
  void give_credit(std::size_t number) {
    runner->on_credit(0, 0, BatchPtr(), port.sent[0][number].batch->bytes());
  }

  ScriptedPort port;
  ManualClock clock;
  TaskMetrics metrics{4};  // operators at most
  std::unique_ptr<TaskRunner> runner;
  std::optional<std::chrono::nanoseconds> wake_after;

 private:
  ChannelLimits limits_;
  std::vector<ChainOperator> operators_;
  std::vector<InputChannel> inputs_;
  std::vector<std::unique_ptr<ChannelWriter>> writers_;
};

}  // namespace millrace::detail
