// Times and barriers as they stand in frames (docs/FORMATS.md, Links).
#pragma once

#include <string>

#include "millrace/actors/links/byte_reader.h"
#include "millrace/coordination/barrier.h"
#include "millrace/core/result.h"

namespace millrace::detail {

inline void append_time(std::string& out, Timestamp time) {
  append_integer(out, std::int64_t{time.time_since_epoch().count()});
}
inline Timestamp take_time(ByteReader& reader) {
  return Timestamp(Duration(reader.take<std::int64_t>()));
}

void append_barrier(const Barrier& barrier, std::string& out);
// Where something is missing the reader says so; what is there but unknown is an error.
Result<Barrier> take_barrier(ByteReader& reader);

}  // namespace millrace::detail
