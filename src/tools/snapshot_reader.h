// A savepoint or checkpoint as people look into it: by operator and state, its rows one after the
// other. Nothing is held but what a file of rows or a block of a database takes; nothing is
// written but links to a database's sorted files and copies of the others, which are small, in the
// directory for temporary files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/directory_savepoints.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

// One operator, over all of its subtasks. What it points to is the reader's.
struct OperatorState {
  std::uint64_t id = 0;
  std::string name;
  std::uint32_t parallelism = 1;
  std::uint32_t max_parallelism = 1;
  std::map<std::string, StatePiece> pieces;  // all subtasks' elements
  std::vector<const KeyedSnapshot*> keyed;   // in the order of their key groups

  // Those of any subtask, by their names.
  std::map<std::string, StateDescription> states() const;
};

// The rows of one state, in the order of their keys.
class RowsOfState {
 public:
  virtual ~RowsOfState() = default;

  // Moves to the next row, the first one at first; false at the end, and after a failure.
  virtual bool next() = 0;
  virtual Status status() const = 0;

  // Until next(): the key's bytes behind the number of the state, the value's, and what describes
  // them.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual const StateDescription& state() const = 0;
  virtual const KeyedSnapshot& snapshot() const = 0;
};

class SnapshotReader {
 public:
  static Result<std::unique_ptr<SnapshotReader>> open(const std::string& path);

  const CheckpointMetadata& metadata() const { return found_.metadata; }
  // Or a checkpoint, which may be the one that a savepoint was.
  bool is_savepoint() const { return found_.savepoint; }
  const std::vector<OperatorState>& operators() const { return operators_; }
  CheckpointStore& store() { return *found_.store; }

  // By its name, or its id as it is printed.
  Result<const OperatorState*> find(std::string_view name) const;
  static Result<StateDescription> find_state(const OperatorState& of, std::string_view name);

  // Of the keys that begin like `prefix`.
  std::unique_ptr<RowsOfState> scan(const OperatorState& of, std::string state,
                                    std::string prefix = {});

 private:
  SnapshotReader() = default;

  RealFileSystem files_;
  DirectorySavepoints snapshots_{files_};
  FoundSnapshot found_;
  std::vector<OperatorState> operators_;  // in the order of their first tasks
};

// 16 hexadecimal digits.
std::string id_text(std::uint64_t id);

}  // namespace millrace::detail
