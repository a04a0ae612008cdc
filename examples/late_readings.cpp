// Readings that come too late: those that the watermark has already passed.
//   late_readings [--bound=30]
#include <millrace/millrace.h>

using namespace millrace;
using namespace std::chrono_literals;

struct Reading {
  std::int64_t number;
  Timestamp at;
};

struct Late {
  std::int64_t number;
  Timestamp at;
  Timestamp watermark;
};

class LateReadings : public Process<Reading, Late> {
 public:
  void process(const Reading& reading, Context& context, Collector<Late>& out) override {
    if (context.timestamp() > context.watermark()) return;
    out.emit({reading.number, reading.at, context.watermark()});
  }
};

// One reading a second; each 700th has taken ten minutes to come.
Reading made_up(std::uint64_t index) {
  const auto number = static_cast<std::int64_t>(index);
  const Duration delay = number > 0 && number % 700 == 0 ? Duration(10min) : Duration(0);
  return {number, Timestamp(number * 1s - delay)};
}

void late_readings(Job& job) {
  const auto bound = job.param("bound", 30, "seconds by which readings may be out of order");
  job.from(generate<Reading>({.count = 2'000}, made_up))
      .event_time(&Reading::at, out_of_order_by(std::chrono::seconds(bound)))
      .process<LateReadings>()
      .to(print("late"));
}

int main(int argc, char** argv) { return run("late-readings", late_readings, argc, argv); }
