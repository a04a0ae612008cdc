// expect: this type cannot be a key
// names: Position
#include "millrace/core/records/hash.h"

struct Position {
  std::string ship;
  double latitude;
};

std::uint64_t hash = millrace::hash_key(Position{});
