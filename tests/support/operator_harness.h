// The hostile harness that every operator passes. Give it a way to make the operator, its outputs
// and a script, and compare what comes back with what the operator should give:
//
//   OperatorHarness harness([] { return std::make_unique<CountOperator>(); },
//                           {output_of<Count>(), output_of<Sale>("refused")});
//   harness.batch<Sale>(0, {{"a", 1}, {"b", 2}}).watermark(at(10)).finish();
//   EXPECT_EQ(harness.run()[0], lines_of<Count>({{"a", 1}, {"b", 1}}));
//
// run() follows the script plainly, which gives the reference, and then in every hostile way: the
// input cut into batches of 1, of 3 and not at all, with empty ones in between; outputs that are
// full after 1, 2, 7 and 1024 records; a snapshot after each call, without and with going on in a
// fresh instance that restores it; input that others read too. The output must always be the same,
// never beyond its bound, and input that is shared must stay as it is.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "millrace/operators/operator.h"
#include "support/output_recorder.h"

namespace millrace::detail {

struct HarnessOptions {
  std::size_t most_per_record = 1;  // what one record, watermark or timer may give beyond the limit
  bool any_order = false;           // the order of the output is unspecified
  OperatorContext context = {};
};

class OperatorHarness {
 public:
  using Make = std::function<std::unique_ptr<Operator>()>;

  struct Step {
    enum class Kind : std::uint8_t { kBatch, kWatermark, kTimer, kFinish };

    Kind kind;
    std::uint32_t input = 0;
    Timestamp time{};
    std::function<BatchPtr()> make_batch;  // kBatch: all of its rows
    Lines (*lines)(const AnyBatch&) = nullptr;
    bool shareable = true;
  };

  OperatorHarness(Make make, std::vector<OutputOf> outputs, HarnessOptions options = {});

  // The script.
  template <class T>
  OperatorHarness& batch(std::uint32_t input, std::vector<T> values) {
    return add_batch<T>(input, [values] { return batch_of(values); });
  }
  template <class T>
  OperatorHarness& stamped(std::uint32_t input, std::vector<Stamped<T>> records) {
    return add_batch<T>(input, [records] { return stamped_batch_of(records); });
  }
  // For records that cannot be copied: make() gives a Batch<T>.
  template <class T>
  OperatorHarness& made(std::uint32_t input, std::function<BatchPtr()> make) {
    return add_batch<T>(input, std::move(make));
  }
  OperatorHarness& watermark(Timestamp watermark);
  OperatorHarness& timer(Timestamp now);
  OperatorHarness& finish();

  // The reference: what came out of each output, sorted if the order is unspecified.
  std::vector<Lines> run() const;

 private:
  template <class T>
  OperatorHarness& add_batch(std::uint32_t input, std::function<BatchPtr()> make) {
    script_.push_back({.kind = Step::Kind::kBatch,
                       .input = input,
                       .make_batch = std::move(make),
                       .lines = &lines_of<T>,
                       .shareable = std::is_copy_assignable_v<T>});
    return *this;
  }

  Make make_;
  std::vector<OutputOf> outputs_;
  HarnessOptions options_;
  std::vector<Step> script_;
};

}  // namespace millrace::detail
