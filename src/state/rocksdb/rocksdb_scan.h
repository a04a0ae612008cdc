// A walk over the rows of a database, as they were when it began.
#pragma once

#include <memory>
#include <string_view>

#include "millrace/state/state_store.h"

namespace rocksdb {
class DB;
}

namespace millrace::detail {

std::unique_ptr<StateScan> scan_rows(rocksdb::DB& database, std::string_view first,
                                     std::string_view end);

}  // namespace millrace::detail
