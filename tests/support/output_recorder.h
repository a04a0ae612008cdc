// The outputs of an operator under test, and all that ever came out of them, as text.
#pragma once

#include <string>
#include <vector>

#include "millrace/operators/operator.h"
#include "support/records_as_text.h"

namespace millrace::detail {

// One output: the main one has no tag.
struct OutputOf {
  std::string tag;
  BatchPtr (*make)() = nullptr;
  Lines (*lines)(const AnyBatch&) = nullptr;
};

template <class T>
OutputOf output_of(std::string tag = {}) {
  return {std::move(tag), &make_batch<T>, &lines_of<T>};
}

class OutputRecorder {
 public:
  OutputRecorder(std::vector<OutputOf> outputs, std::size_t limit);

  Outputs& outputs() { return outputs_; }

  // Records what the last call gave, and empties the outputs. Fails the test if one of them holds
  // more than `most` records. Returns how many there were.
  std::size_t collect(std::size_t most);

  // Records in the main output the watermark that the operator itself has made, if there is one. A
  // restored operator repeats its last one, which is recorded once.
  void collect_watermark(Operator& op);

  const std::vector<Lines>& lines() const { return lines_; }  // by output
  std::vector<Lines> sorted_lines() const;

 private:
  std::vector<OutputOf> described_;
  Outputs outputs_;
  std::vector<Lines> lines_;
  Timestamp watermark_ = kMinTimestamp;
};

}  // namespace millrace::detail
