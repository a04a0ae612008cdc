// The one place where RocksDB's statuses become our errors.
#pragma once

#include <string_view>

#include "millrace/core/result.h"

namespace rocksdb {
class Status;
}

namespace millrace::detail {

// `doing` says what failed and where, such as "cannot open the state database '/tmp/x'".
Status to_status(const rocksdb::Status& status, std::string_view doing);

// For one that is not ok.
Error to_error(const rocksdb::Status& status, std::string_view doing);

}  // namespace millrace::detail
