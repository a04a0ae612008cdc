// The database below an operator instance's live state: rows in the order of their keys' bytes. It
// is where state goes when memory ends and when a checkpoint needs it.
//
// get() and scan() come from the task's thread. ingest() and begin_upload() come from one other
// thread at a time, the writer, in order; they may run beside get() and scan(). An upload may go on
// beside all of them. All of these but begin_upload() may block for long.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/state/checkpoint_store.h"

namespace millrace::detail {

// One change: the row's new value, or none if it was removed.
struct StateRow {
  std::string_view key;
  std::optional<std::string_view> value;
};

class StateScan {
 public:
  virtual ~StateScan() = default;

  // Moves to the next row, the first one at first; false at the end, and after a failure.
  virtual bool next() = 0;
  virtual std::string_view key() const = 0;  // until next()
  virtual std::string_view value() const = 0;
  virtual Status status() const = 0;
};

// The checkpoint that a store is put into. What `base` has need not be uploaded again.
struct UploadTarget {
  CheckpointName name;
  std::vector<StoredFile> base;
  CheckpointStore& into;
};

// Whether a row is of no use any more: the store need not keep it. Any thread.
using RowTest = std::function<bool(std::string_view key, std::string_view value)>;

// What a store had at one moment, on its way into a checkpoint a file at a time, so that who does
// it may do other things between. One thread at a time. The store outlives it.
class StateUpload {
 public:
  virtual ~StateUpload() = default;

  // Uploads the next file; false once all are there.
  virtual Result<bool> step() = 0;
  // All that the checkpoint consists of, with what its base had.
  virtual std::vector<StoredFile> take_files() = 0;
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // Calls found(i, value) for each of the keys that has a row, in any order. `found` does not call
  // the store.
  virtual Status get(std::span<const std::string_view> keys,
                     const std::function<void(std::size_t, std::string_view)>& found) = 0;

  // The rows from `first` up to `end`, not included, as they are now; an empty `end` is the last
  // row's. The store outlives the scan.
  virtual std::unique_ptr<StateScan> scan(std::string_view first, std::string_view end) = 0;

  // Before anything is ingested: rows for which a test that this makes says so may go at any time,
  // and do when they are merged with others. Any thread.
  virtual void forget_useless(std::function<RowTest()> /*make_test*/) {}

  // Applies changes in one step. The keys ascend strictly.
  virtual Status ingest(std::span<const StateRow> rows) = 0;

  // Holds everything that was ingested, to be uploaded.
  virtual Result<std::unique_ptr<StateUpload>> begin_upload(UploadTarget target) = 0;
};

// Makes an operator instance's store.
class StateStoreFactory {
 public:
  virtual ~StateStoreFactory() = default;

  virtual Result<std::unique_ptr<StateStore>> make(std::string_view name) = 0;
  // One that goes on from a checkpoint's files.
  virtual Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                                      std::span<const StoredFile> files,
                                                      CheckpointStore& from) = 0;
};

}  // namespace millrace::detail
