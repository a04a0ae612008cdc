// expect: a record cannot have base classes
// names: LargePayment
#include "millrace/core/records/record.h"

struct Payment {
  std::int64_t cents;
};
struct LargePayment : Payment {
  std::string reason;
};

const millrace::detail::Type& table = millrace::type_of<LargePayment>();
