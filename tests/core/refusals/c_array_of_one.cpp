// expect: a field of a record cannot be a C array
// names: double \[1\]
#include "millrace/core/records/record.h"

struct Sample {
  int id;
  double values[1];
};

const millrace::detail::Type& table = millrace::type_of<Sample>();
