#include "millrace/state/savepoint/rows_export.h"

#include <utility>

#include "millrace/state/savepoint/savepoint_folder.h"

namespace millrace::detail {

RowsExport::RowsExport(std::unique_ptr<StateScan> scan, std::uint32_t max_parallelism,
                       CheckpointName name, SavepointTarget target)
    : scan_(std::move(scan)), name_(name), target_(std::move(target)), blocks_(max_parallelism) {}

Result<bool> RowsExport::step() {
  if (!std::exchange(begun_, true)) more_ = scan_->next();
  while (more_ && !blocks_.ends_file_before(scan_->key())) {
    blocks_.add(scan_->key(), scan_->value());
    more_ = scan_->next();
  }
  if (!scan_->status()) return scan_->status().error();
  if (!blocks_.empty()) {
    if (Status written = write(); !written) return written.error();
  }
  return more_;
}

Status RowsExport::write() {
  RowBlockWriter::File file = blocks_.take();
  Result<StoredFile> stored = target_.store->put(
      name_, rows_name(target_.operator_id, target_.subtask, files_.size()), file.bytes);
  if (!stored) return stored.error().with_context("writing a savepoint");
  file.rows.file = *std::move(stored);
  files_.push_back(std::move(file.rows));
  return {};
}

}  // namespace millrace::detail
