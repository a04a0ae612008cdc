// What a checkpoint consists of, as plain data: the metadata file holds it (checkpoint_format.h).
// From it alone a job can go on, also with another parallelism.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millrace/state/checkpoint_store.h"
#include "millrace/state/snapshot.h"

namespace millrace::detail {

// One declared state of an operator, as it was when the checkpoint was taken.
struct StateDescription {
  std::string name;
  std::string kind;          // "value", "list", "map", "timers"...
  std::uint32_t id = 0;      // in the keys of rows
  std::string key_schema;    // of the stream's key
  std::string entry_schema;  // of a map's keys; empty for other kinds
  // Of values, in all versions that rows may have: a row begins with the number of its own.
  std::vector<std::string> value_schemas;
  std::int64_t time_to_live_milliseconds = 0;  // 0: for ever

  bool operator==(const StateDescription&) const = default;
};

// Rows of keyed state as a savepoint holds them (savepoint/row_blocks.h).
struct RowsFile {
  StoredFile file;
  std::string first_key;
  std::string last_key;
  std::uint64_t rows = 0;

  bool operator==(const RowsFile&) const = default;
};

// The keyed state of one operator instance: in a checkpoint the files of its database, in a
// savepoint its rows, in the order of their keys.
struct KeyedSnapshot {
  std::uint32_t first_group = 0;
  std::uint32_t last_group = 0;
  std::vector<StateDescription> states;
  std::vector<StoredFile> files;
  std::vector<RowsFile> rows;

  bool operator==(const KeyedSnapshot&) const = default;
};

struct OperatorSnapshot {
  std::uint64_t id = 0;  // OperatorId
  std::string name;
  std::uint32_t subtask = 0;
  std::uint32_t parallelism = 1;
  std::uint32_t max_parallelism = 1;
  std::map<std::string, StatePiece> pieces;
  std::vector<KeyedSnapshot> keyed;  // none or one

  bool operator==(const OperatorSnapshot&) const = default;
};

// What a subtask acknowledges a checkpoint with.
struct TaskSnapshot {
  bool finished = false;  // it had given all that it will ever give
  std::vector<OperatorSnapshot> operators;
  // None or one: the records before its barrier, where that has overtaken them
  // (actors/in_flight.h). Only the same task can go on from them.
  std::vector<StoredFile> in_flight;

  bool operator==(const TaskSnapshot&) const = default;
};

struct CheckpointMetadata {
  std::string job;
  std::uint64_t id = 0;
  std::uint64_t epoch = 0;
  std::uint64_t fingerprint = 0;  // of the logical plan
  std::int64_t triggered_at_milliseconds = 0;
  bool savepoint = false;
  std::vector<TaskSnapshot> tasks;
  std::map<std::string, StatePiece> enumerators;  // by the source's name: the splits not handed out

  bool operator==(const CheckpointMetadata&) const = default;
};

}  // namespace millrace::detail
