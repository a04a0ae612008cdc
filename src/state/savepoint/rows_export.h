// Writes the rows of a database into a savepoint, a file at a time, so that who does it may do
// other things between.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "millrace/state/savepoint/row_blocks.h"
#include "millrace/state/savepoint/savepoint_target.h"
#include "millrace/state/state_store.h"

namespace millrace::detail {

class RowsExport {
 public:
  // The scan walks over all rows, as they were when it was made.
  RowsExport(std::unique_ptr<StateScan> scan, std::uint32_t max_parallelism, CheckpointName name,
             SavepointTarget target);

  // Writes the next file; false once all is written.
  Result<bool> step();
  std::vector<RowsFile> take_files() { return std::move(files_); }

 private:
  Status write();

  const std::unique_ptr<StateScan> scan_;
  const CheckpointName name_;
  const SavepointTarget target_;
  RowBlockWriter blocks_;
  bool more_ = false;  // the scan stands on a row that is not added yet
  bool begun_ = false;
  std::vector<RowsFile> files_;
};

}  // namespace millrace::detail
