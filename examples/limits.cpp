// Payments above the limit of their account. Every instance knows all limits.
//   limits --payments=payments.csv --limits=limits.csv
#include <millrace/millrace.h>

using namespace millrace;

struct Payment {
  std::string account;
  std::int64_t cents;
};

struct Limit {
  std::string account;
  std::int64_t cents;
};

struct Alert {
  std::string account;
  std::int64_t cents;
  std::int64_t limit;
};

class AboveLimit : public BroadcastProcess<Payment, Limit, Alert> {
 public:
  void process(const Payment& payment, ReadContext&, Collector<Alert>& out) override {
    const auto limit = limits_.value_or(payment.account, 50'000);
    if (payment.cents > limit) out.emit({payment.account, payment.cents, limit});
  }

  void process_broadcast(const Limit& limit, WriteContext& context, Collector<Alert>&) override {
    limits_.put(context, limit.account, limit.cents);
  }

 private:
  BroadcastState<std::string, std::int64_t> limits_{*this, "limits"};
};

void limits(Job& job) {
  auto limits = job.from(files<Limit>(job.param("limits", kRequired, "a CSV of limits"), csv()))
                    .broadcast({.read_first = true});
  job.from(files<Payment>(job.param("payments", kRequired, "a CSV of payments"),
                          csv({.on_error = OnError::kSkipAndCount})))
      .named("payments")
      .connect(limits)
      .process<AboveLimit>()
      .to(print("above"));
}

int main(int argc, char** argv) { return run("limits", limits, argc, argv); }
