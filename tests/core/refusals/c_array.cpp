// expect: a record cannot hold a C array
// names: Sample
#include "millrace/core/records/record.h"

struct Sample {
  int id;
  double values[4];
  std::string unit;
};

const millrace::detail::Type& table = millrace::type_of<Sample>();
