// expect: a field of a record cannot be a string_view
// names: Payment
#include "millrace/core/records/record.h"

struct Payment {
  std::string_view account;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
