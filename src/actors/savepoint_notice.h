// What a task must know of a savepoint, brought by the barrier of its checkpoint.
#pragma once

#include <string>

namespace millrace::detail {

struct SavepointNotice {
  std::string path;    // where the rows of keyed state go
  bool stops = false;  // sources read no more behind it
};

}  // namespace millrace::detail
