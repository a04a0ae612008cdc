// What a key's update costs in RocksDB alone, as engines do it that keep their state there: a get
// and a put each, without a log. The yardstick for keyed state; tuned as well as we know how.
//
// One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "counter.h"

namespace rocksdb {
class DB;
}

namespace millrace::bench {

class PlainRocksDb {
 public:
  // The folder is made anew, and removed at the end.
  explicit PlainRocksDb(std::filesystem::path folder);
  ~PlainRocksDb();

  // Adds one to the key's counter and returns it.
  Counter update(std::uint64_t key);

 private:
  const std::filesystem::path folder_;
  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace millrace::bench
