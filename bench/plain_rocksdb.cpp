#include "plain_rocksdb.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace millrace::bench {
namespace {

void expect_ok(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "RocksDB failed: %s\n", status.ToString().c_str());
  std::exit(1);
}

constexpr std::size_t kCache = std::size_t{192} << 20;
constexpr std::size_t kWriteBuffer = std::size_t{64} << 20;

// It has the memory that our state has in all, of its table and of RocksDB's cache. The files lie
// in the system's cache: what is measured is RocksDB, not the disk.
rocksdb::Options options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kCache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs = 2;
  options.write_buffer_size = kWriteBuffer;
  return options;
}

}  // namespace

PlainRocksDb::PlainRocksDb(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::filesystem::remove_all(folder_);
  rocksdb::DB* database = nullptr;
  expect_ok(rocksdb::DB::Open(options(), folder_.native(), &database));
  database_.reset(database);
}

PlainRocksDb::~PlainRocksDb() {
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Counter PlainRocksDb::update(std::uint64_t key) {
  const rocksdb::Slice slice(reinterpret_cast<const char*>(&key), sizeof(key));
  rocksdb::PinnableSlice old;
  const rocksdb::Status found =
      database_->Get(rocksdb::ReadOptions(), database_->DefaultColumnFamily(), slice, &old);
  Counter counter;
  if (found.ok()) std::memcpy(&counter, old.data(), sizeof(counter));
  if (!found.ok() && !found.IsNotFound()) expect_ok(found);
  ++counter.count;
  counter.last = key;
  rocksdb::WriteOptions write;
  write.disableWAL = true;
  expect_ok(
      database_->Put(write, slice, {reinterpret_cast<const char*>(&counter), sizeof(counter)}));
  return counter;
}

}  // namespace millrace::bench
