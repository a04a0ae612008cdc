// Records as JSON where only their schema is known, and no type: for those who look into state of
// programs that they are not. The same text as append_json() gives (json.h), but for enums, which
// are numbers.
#pragma once

#include <string>
#include <string_view>

#include "millrace/core/codec/schema.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Appends the one row whose columns are all of `columns`. Trusts nothing: kCorruption says at which
// byte they are none of the schema.
Status append_json(std::string& out, const Schema& schema, std::string_view columns);

}  // namespace millrace::detail
