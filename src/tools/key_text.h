// Keys of state as people write them, in JSON, and as rows hold them (docs/FORMATS.md, "Rows of
// keyed state"), where only their schema is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/codec/schema.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Takes a key off the front of a row's bytes and appends its JSON; kCorruption if they are none.
Status append_key_json(std::string& out, const Schema& schema, std::string_view& bytes);

// The hash of a key, which is all of `bytes`.
Result<std::uint64_t> hash_of_key(const Schema& schema, std::string_view bytes);

// The bytes of a key that somebody wrote. A text that is no JSON is taken for a string where the
// key is one.
Result<std::string> parse_key(const Schema& schema, std::string_view text);

}  // namespace millrace::detail
