// expect: a list of bool is not supported
// names: OperatorList
#include "millrace/operators/process.h"

using namespace millrace;

class Flags : public Process<int, int> {
 public:
  void process(const int&, Context&, Collector<int>&) override {}

 private:
  OperatorListState<bool> flags_{*this, "flags"};
};
