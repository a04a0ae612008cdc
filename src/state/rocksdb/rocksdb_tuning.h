// How our databases are set up, and why. They are scratch: what counts is in checkpoints, so
// nothing is logged ahead, and files come in sorted. The numbers are measured (docs/design/004).
#pragma once

#include <cstddef>
#include <memory>

#include "millrace/core/executor.h"

namespace rocksdb {
class Cache;
class CompactionFilterFactory;
class Env;
class EventListener;
struct Options;
}  // namespace rocksdb

namespace millrace::detail {

struct RocksDbSettings {
  std::size_t cache_bytes = 256U << 20;  // of blocks, for all stores of a factory together
  int compactions = 2;                   // at the same time, of all stores in the process
  std::size_t file_bytes = 64U << 20;    // from which on an ingest begins another file
  // With that many files in level 0 compaction begins; with more than the bound ingests wait.
  int level0_trigger = 16;
  int level0_bound = 32;
};

// What the databases of a factory share. It outlives them.
struct RocksDbResources {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<Executor> readers;    // that help a task to read what is missing
  std::shared_ptr<rocksdb::Env> files;  // with threads for compaction, the process's
};
RocksDbResources make_resources(const RocksDbSettings& settings);

rocksdb::Options make_options(const RocksDbSettings& settings, const RocksDbResources& resources,
                              std::shared_ptr<rocksdb::EventListener> listener,
                              std::shared_ptr<rocksdb::CompactionFilterFactory> filter);

}  // namespace millrace::detail
