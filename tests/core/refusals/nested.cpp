// expect: a field of a record cannot be a pointer
// names: Payment
#include "millrace/core/records/record.h"

#include <map>

struct Payment {
  std::map<std::string, std::vector<const void*>> notes;
};

const millrace::detail::Type& table = millrace::type_of<Payment>();
