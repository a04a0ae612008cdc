// expect: this type is no plain struct
// names: Account
#include "millrace/core/records/record.h"

class Account {
  std::string id_;
};

const millrace::detail::Type& table = millrace::type_of<Account>();
