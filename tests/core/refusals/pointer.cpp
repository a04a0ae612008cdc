// expect: a field of a record cannot be a pointer
// names: Payment
#include "millrace/core/records/record.h"

struct Payment {
  std::string* account;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
