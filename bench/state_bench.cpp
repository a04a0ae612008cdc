// What an update of keyed state costs, in the operator alone: a ValueState of a KeyedProcess, on
// one core, without tasks and channels. state_bench [MILLION-UPDATES]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "millrace/core/random.h"
#include "millrace/operators/keyed_process.h"
#include "support.h"

namespace millrace {
namespace {

struct Update {
  std::int64_t key;
  std::int64_t amount;
};

class Total : public KeyedProcess<std::int64_t, Update, Update> {
 public:
  void process(const Update& update, Context&, Collector<Update>&) override {
    total_.edit() += update.amount;
  }

 private:
  ValueState<std::int64_t> total_{*this, "total"};
};

double updates_per_second(std::size_t keys, std::size_t updates) {
  using Selector = detail::MemberKey<Update, std::int64_t>;
  detail::KeyedProcessOperator<Total, Selector> op([] { return Total(); }, Selector{&Update::key});
  if (!op.open({})) std::abort();
  Random random(1);
  std::vector<detail::BatchPtr> batches;
  for (int i = 0; i < 1'000; ++i) {
    batches.push_back(detail::make_batch<Update>());
    auto& batch = static_cast<detail::Batch<Update>&>(*batches.back());
    for (std::size_t k = 0; k < kBatchRecords; ++k) {
      batch.push(Update{static_cast<std::int64_t>(random.below(keys)), 1});
    }
  }
  detail::Outputs outputs({detail::make_batch<Update>()}, {});
  const auto run = [&](std::size_t count) {
    for (std::size_t done = 0; done < count; done += kBatchRecords) {
      detail::Cursor cursor{.batch = &*batches[done / kBatchRecords % batches.size()]};
      if (!op.process(0, cursor, outputs)) std::abort();
    }
  };
  run(batches.size() * kBatchRecords);
  const auto start = std::chrono::steady_clock::now();
  run(updates);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(updates) / taken.count();
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  const std::size_t updates = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50) * 1'000'000;
  for (const std::size_t keys : {1'000, 100'000, 1'000'000, 10'000'000}) {
    for (int i = 0; i < 3; ++i)
      std::printf("%9zu keys: %.1f M updates/s\n", keys,
                  millrace::updates_per_second(keys, updates) / 1e6);
  }
}
