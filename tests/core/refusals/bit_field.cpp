// expect: a record cannot hold a bit-field
// names: Flags
#include "millrace/core/records/record.h"

struct Flags {
  int id;
  unsigned urgent : 1;
};

const millrace::detail::Type& table = millrace::type_of<Flags>();
