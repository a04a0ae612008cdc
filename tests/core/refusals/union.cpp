// expect: a record cannot hold a union
// names: Payment
#include "millrace/core/records/record.h"

union Number {
  int whole;
  float fraction;
};
struct Payment {
  Number amount;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
