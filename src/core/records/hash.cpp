#include "millrace/core/records/hash.h"

#include <xxhash.h>

namespace millrace::detail {

std::uint64_t hash_text(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace millrace::detail
