// A source and a sink of one's own, exactly once.   custom --count=1000 --output=ticks
#include <millrace/connect.h>
#include <millrace/millrace.h>

#include <filesystem>
#include <fstream>
#include <system_error>

using namespace millrace;
using namespace std::chrono_literals;

struct Tick {
  std::int64_t number;
  Timestamp at;
};

// How far it has read is state: after a failure it goes on from the last checkpoint.
class Ticker : public Source<Tick> {
 public:
  explicit Ticker(std::int64_t count) : count_(count) {}

  // Never blocks; is called again at once, later, or no more, as it says.
  Result<Poll> poll(Collector<Tick>& out) override {
    if (*next_ == count_) return Poll::end();
    out.emit({*next_, Timestamp{*next_ * 1s}});
    next_.edit() += 1;
    return *next_ % 100 == 0 ? Poll::idle_for(1ms) : Poll::more();
  }

 private:
  std::int64_t count_;
  SourceState<std::int64_t> next_{*this, "next", 0};
};

// Two phases: what was written before a checkpoint shows once that checkpoint is complete.
class Ledger : public Sink<Tick> {
 public:
  explicit Ledger(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Status open(SinkContext& context) override {
    prefix_ = std::to_string(context.subtask());
    std::filesystem::create_directories(folder_);
    return {};
  }

  Status write(std::span<const Tick> ticks) override {
    for (const Tick& tick : ticks) lines_ += std::to_string(tick.number) + '\n';
    return {};
  }

  // Makes what was written since the last call durable under a name that no reader looks at.
  Status prepare(CheckpointId checkpoint) override {
    std::ofstream file(staged(checkpoint));
    file << std::exchange(lines_, {}) << std::flush;
    return file ? Status{} : Status(unavailable("cannot write " + staged(checkpoint).string()));
  }

  // Called once the checkpoint is complete, and again after a failure in between.
  Status commit(CheckpointId checkpoint) override {
    std::error_code error;
    std::filesystem::rename(staged(checkpoint), shown(checkpoint), error);
    if (!error || std::filesystem::exists(shown(checkpoint))) return {};  // or it was done before
    if (error == std::errc::no_such_file_or_directory) {  // trying again would not bring it back
      return not_found("nothing was prepared as " + staged(checkpoint).string() +
                       "; give the --output of the run that took the checkpoint");
    }
    return unavailable("cannot show " + staged(checkpoint).string() + ": " + error.message());
  }

 private:
  std::filesystem::path staged(CheckpointId id) const { return folder_ / ("." + name(id)); }
  std::filesystem::path shown(CheckpointId id) const { return folder_ / name(id); }
  std::string name(CheckpointId id) const { return prefix_ + "-" + to_string(id); }

  std::filesystem::path folder_;
  std::string prefix_;
  std::string lines_;
};

void custom(Job& job) {
  job.from(source<Ticker>(job.param("count", 1'000)))
      .named("ticks")
      .event_time(&Tick::at, out_of_order_by(0s))
      .to(sink<Ledger>(job.param("output")))
      .named("ledger");
}

int main(int argc, char** argv) { return run("custom", custom, argc, argv); }
