// The hostile harness for sources, which are polled: as OperatorHarness, it reads the source
// plainly, and then with outputs that are full after 1, 2 and 7 records, with a snapshot after each
// poll, and with going on in a fresh instance that restores it. The output must always be the same.
//
//   SourceHarness harness([] { return std::make_unique<SourceOperator<Ticker>>(make); },
//                         {output_of<Tick>()});
//   EXPECT_EQ(harness.run()[0], lines_of<Tick>({{0}, {1}, {2}}));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/operators/any_source.h"
#include "support/output_recorder.h"

namespace millrace::detail {

class SourceHarness {
 public:
  using Make = std::function<std::unique_ptr<AnySource>()>;

  // `splits` are assigned, as the source asks for them; they are encoded.
  SourceHarness(Make make, std::vector<OutputOf> outputs, std::vector<std::string> splits = {});

  // How far one poll may go beyond the outputs' limit.
  SourceHarness& most_per_poll(std::size_t records);

  // The reference: what came out of each output until the end.
  std::vector<Lines> run() const;

 private:
  Make make_;
  std::vector<OutputOf> outputs_;
  std::vector<std::string> splits_;
  std::size_t most_per_poll_ = 1;
};

}  // namespace millrace::detail
