// What jobs are tested with compiles and links without any test framework.
#include <millrace/millrace.h>
#include <millrace/testing.h>

using namespace millrace;

class Double : public Process<std::int64_t, std::int64_t> {
 public:
  void process(const std::int64_t& n, Context&, Collector<std::int64_t>& out) override {
    out.emit(2 * n);
  }
};

void twice(Job& job) {
  job.from(sequence(1, 3)).named("numbers").process<Double>().to(print("doubled"));
}

int main() {
  test::Harness<Double> one;
  one.push(21);
  if (one.take() != std::vector<std::int64_t>{42}) return 1;
  test::TestRun all(twice);
  all.feed<std::int64_t>("numbers", {1, 21}).crash_between_records();
  return all.results<std::int64_t>("doubled") == std::vector<std::int64_t>{2, 42} ? 0 : 1;
}
