#include "millrace/state/savepoint/rows_scan.h"

#include <optional>
#include <string>

#include "millrace/core/text.h"
#include "millrace/state/savepoint/row_blocks.h"

namespace millrace::detail {
namespace {

class RowsScan final : public StateScan {
 public:
  RowsScan(std::span<const RowsFile> files, CheckpointStore& from, std::string_view first,
           std::string_view end)
      : left_(files), from_(from), first_(first), end_(end) {}

  bool next() override {
    Result<bool> moved = move();
    if (!moved) status_ = moved.error();
    return moved && *moved;
  }
  std::string_view key() const override { return reader_->key(); }
  std::string_view value() const override { return reader_->value(); }
  Status status() const override { return status_; }

 private:
  bool is_before_end(std::string_view key) const { return end_.empty() || key < end_; }

  Result<bool> move() {
    for (;;) {
      if (!reader_) {
        Result<bool> opened = open_next();
        if (!opened || !*opened) return opened;
      }
      Result<bool> more = reader_->next();
      if (!more) return more;
      if (!*more) {
        reader_.reset();
      } else if (!is_before_end(key())) {
        return false;
      } else if (key() >= first_) {
        return true;
      }
    }
  }

  Result<bool> open_next() {
    while (!left_.empty() && left_.front().last_key < first_) left_ = left_.subspan(1);
    if (left_.empty() || !is_before_end(left_.front().first_key)) return false;
    const StoredFile& file = left_.front().file;
    left_ = left_.subspan(1);
    Result<std::string> bytes = from_.fetch(file);
    if (!bytes) return bytes.error();
    bytes_ = *std::move(bytes);
    reader_.emplace(bytes_, file.path);
    return true;
  }

  std::span<const RowsFile> left_;
  CheckpointStore& from_;
  const std::string first_;
  const std::string end_;
  std::string bytes_;  // of the file at hand
  std::optional<RowBlockReader> reader_;
  Status status_;
};

}  // namespace

std::unique_ptr<StateScan> scan_rows_of(std::span<const RowsFile> files, CheckpointStore& from,
                                        std::string_view first, std::string_view end) {
  return std::make_unique<RowsScan>(files, from, first, end);
}

}  // namespace millrace::detail
