// expect: a field of a record cannot be const
// names: Payment
#include "millrace/core/records/record.h"

struct Payment {
  const std::int64_t cents = 0;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
