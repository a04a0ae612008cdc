// What may change in the type of a key: nothing that would change its hash, for that says where a
// key's state lies, nor its bytes in a row.
#pragma once

#include "millrace/core/codec/schema.h"

namespace millrace::detail {

// Whether a key of the type before has the same hash and bytes as one of the type now: an integer
// may be wider, or unsigned and then wider and signed; names do not matter; what is one part after
// another may be a record or a tuple.
bool is_same_key(const Schema& before, const Schema& now);

}  // namespace millrace::detail
