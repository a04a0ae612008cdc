// Large payments, and what each account has paid; lines that are no payment go their own way.
//   payments --input=payments.csv [--limit=50000]
#include <millrace/millrace.h>

using namespace millrace;

struct Payment {
  std::string account;
  std::int64_t cents;
};

struct Alert {
  std::string account;
  std::int64_t cents;
};

constexpr OutputTag<Payment> kRefused{"refused"};

// Sees one payment at a time, and may emit any number of results, to side outputs too.
class LargePayments : public KeyedProcess<std::string, Payment, Alert> {
 public:
  explicit LargePayments(std::int64_t limit) : limit_(limit) {}

  void process(const Payment& payment, Context& context, Collector<Alert>& out) override {
    if (payment.cents <= 0) return context.emit(kRefused, payment);
    if (payment.cents >= limit_) out.emit({context.key(), payment.cents});
  }

 private:
  std::int64_t limit_;
};

void payments(Job& job) {
  const auto limit = job.param("limit", 50'000, "cents from which a payment is large");
  auto paid = job.from(files<Payment>(job.param("input", kRequired, "a CSV of payments"),
                                      csv({.on_error = OnError::kSideOutput})))
                  .named("payments");
  auto large = paid.key_by(&Payment::account).process<LargePayments>(limit).named("large-payments");
  large.to(print("large"));
  large.side_output(kRefused).to(print("refused"));
  paid.side_output(kBadRecords).to(print("bad"));
  paid.key_by(&Payment::account).sum(&Payment::cents).named("totals").to(print("total"));
}

int main(int argc, char** argv) { return run("payments", payments, argc, argv); }
