// expect: a record cannot hold a union
// names: Payment
#include "millrace/core/records/record.h"

struct Payment {
  int id;
  union {
    int whole;
    float fraction;
  };
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
