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

int main() {
  test::Harness<Double> twice;
  twice.push(21);
  return twice.take() == std::vector<std::int64_t>{42} ? 0 : 1;
}
