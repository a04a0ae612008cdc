// The file system without waiting for the disk: the databases are of no use once their process has
// ended, and what is to last longer is made durable by the checkpoint store. A sync for each file
// that comes in would cost several times the rest of it.
#pragma once

#include <memory>

namespace rocksdb {
class Env;
}

namespace millrace::detail {

std::shared_ptr<rocksdb::Env> make_scratch_files();

}  // namespace millrace::detail
