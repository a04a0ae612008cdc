// expect: a BroadcastState is changed in process_broadcast() alone
// names: BroadcastState
#include "millrace/operators/broadcast_process.h"

using namespace millrace;

class Rules : public BroadcastProcess<int, int, int> {
 public:
  void process(const int& value, ReadContext& context, Collector<int>&) override {
    rules_.put(context, value, value);
  }
  void process_broadcast(const int&, WriteContext&, Collector<int>&) override {}

 private:
  BroadcastState<int, int> rules_{*this, "rules"};
};
