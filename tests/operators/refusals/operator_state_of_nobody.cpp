// expect: operator state is declared as a member of a process function, a source or a sink
// names: Nobody
#include "millrace/state/operator_list_state.h"

struct Nobody {
  millrace::OperatorListState<int> list{*this, "list"};
};

Nobody nobody;
