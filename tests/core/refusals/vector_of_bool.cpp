// expect: a field of a record cannot be a vector<bool>
// names: Answers
#include "millrace/core/records/record.h"

struct Answers {
  std::vector<bool> correct;
};

const millrace::detail::Type& table = millrace::type_of<Answers>();
