// Cards that somebody tries out: a payment that goes through soon after several that did not.
// Here so that both the program, fraud.cpp, and its test, fraud_test.cpp, have it.
#pragma once

#include <millrace/millrace.h>

using namespace millrace;
using namespace std::chrono_literals;

struct Attempt {
  std::string card;
  std::int64_t cents;
  bool accepted;
  Timestamp at;
};

struct Suspicion {
  std::string card;
  std::int64_t cents;
  std::int64_t refused;  // attempts before it
};

// Counts refused attempts, card by card, until ten minutes have passed without a further one.
class CardTesting : public KeyedProcess<std::string, Attempt, Suspicion> {
 public:
  explicit CardTesting(std::int64_t limit) : limit_(limit) {}

  void process(const Attempt& attempt, Context& context, Collector<Suspicion>& out) override {
    // The timer may come later than the next attempt, for it waits for the watermark.
    if (forgotten_at_ && attempt.at >= *forgotten_at_) forget();
    if (attempt.accepted) {
      if (refused_.value_or(0) >= limit_) out.emit({context.key(), attempt.cents, *refused_});
      return forget();
    }
    refused_ = refused_.value_or(0) + 1;
    forgotten_at_ = attempt.at + 10min;
    context.timers().at(*forgotten_at_);
  }

  void on_timer(Timestamp due, Context&, Collector<Suspicion>&) override {
    if (forgotten_at_ && due >= *forgotten_at_) forget();  // an earlier attempt's timer does not
  }

 private:
  void forget() {
    refused_.reset();
    forgotten_at_.reset();
  }

  const std::int64_t limit_;
  ValueState<std::int64_t> refused_{*this, "refused"};
  ValueState<Timestamp> forgotten_at_{*this, "forgotten-at"};
};

inline void fraud(Job& job) {
  const auto limit = job.param("limit", 3, "refused attempts that make the next one suspicious");
  job.from(files<Attempt>(job.param("input", kRequired, "a CSV of attempts"), csv()))
      .named("attempts")
      .event_time(&Attempt::at, out_of_order_by(5s))
      .key_by(&Attempt::card)
      .process<CardTesting>(limit)
      .named("card-testing")
      .to(print("suspicious"));
}
