#include "millrace/state/rocksdb/rocksdb_tuning.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <cstdint>
#include <utility>

#include "millrace/state/rocksdb/scratch_files.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kReaders = 4;  // threads that help, for all stores of a factory together
constexpr double kFilterBits = 10;   // one in a hundred files is read in vain
constexpr std::uint64_t kIndexPart = 64U << 10;
constexpr std::uint64_t kLevelBase = 64U << 20;
constexpr double kLevelFactor = 4;
constexpr std::size_t kReadAhead = 2U << 20;  // of compactions: they read block by block otherwise
constexpr std::size_t kLargestManifest = 4U << 20;  // every checkpoint uploads it

rocksdb::BlockBasedTableOptions table_options(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  // Counted in the cache too, so that its size bounds all that reading takes.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In parts: a whole file's filter is megabytes, which a shard of the cache has no room for, and
  // would be read again for nearly each key. Few parts: one is looked for for each key.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBits));
  table.partition_filters = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.metadata_block_size = kIndexPart;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  return table;
}

// Levels are sized from the largest down, so that a row that was overwritten takes room for a
// short time only. Small steps between them: a file that comes in finds a level without overlap
// more often and is merged with fewer others, which takes in twice the rows of RocksDB's own steps.
void set_levels(rocksdb::Options& options, const RocksDbSettings& settings) {
  options.level_compaction_dynamic_level_bytes = true;
  options.max_bytes_for_level_base = kLevelBase;
  options.max_bytes_for_level_multiplier = kLevelFactor;
  options.target_file_size_base = settings.file_bytes;
  // The last level has nearly all rows, and who asks mostly asks for one that is there.
  options.optimize_filters_for_hits = true;
  options.level0_file_num_compaction_trigger = settings.level0_trigger;
}

}  // namespace

RocksDbResources make_resources(const RocksDbSettings& settings) {
  return {.cache = rocksdb::NewLRUCache(settings.cache_bytes),
          .readers = std::make_shared<ThreadExecutor>(kReaders),
          .files = make_scratch_files()};
}

rocksdb::Options make_options(const RocksDbSettings& settings, const RocksDbResources& resources,
                              std::shared_ptr<rocksdb::EventListener> listener,
                              std::shared_ptr<rocksdb::CompactionFilterFactory> filter) {
  rocksdb::Options options;
  options.env = resources.files.get();
  options.create_if_missing = true;
  // Nearly half the bytes to upload and to restore, for 45 ns a row; get() takes as long.
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(resources.cache)));
  options.listeners = {std::move(listener)};
  options.compaction_filter_factory = std::move(filter);
  options.max_background_jobs = settings.compactions + 1;  // one is for flushes: there are none
  options.compaction_readahead_size = kReadAhead;
  options.max_file_opening_threads = 1;  // sixteen, also for no file, otherwise
  options.max_manifest_file_size = kLargestManifest;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.stats_dump_period_sec = 0;  // no thread for statistics that nobody reads
  options.stats_persist_period_sec = 0;
  set_levels(options, settings);
  return options;
}

}  // namespace millrace::detail
