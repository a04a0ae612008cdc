// expect: a field of a record cannot be a character
// names: Grade
#include "millrace/core/records/record.h"

struct Grade {
  char letter;
};

const millrace::detail::Type& table = millrace::type_of<Grade>();
