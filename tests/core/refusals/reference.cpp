// expect: a record has a member without a default value, such as a reference
// names: Payment
#include "millrace/core/records/record.h"

struct Payment {
  const std::string& account;
  std::int64_t cents;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
