// expect: this type is no plain struct
// names: Account
#include "millrace/core/records/record.h"

struct Account {
  explicit Account(int id) : id(id) {}
  int id;
};

const millrace::detail::Type& table = millrace::type_of<Account>();
