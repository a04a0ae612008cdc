#include "millrace/state/rocksdb/rocksdb_scan.h"

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>

#include <string>

#include "millrace/state/rocksdb/rocksdb_error.h"

namespace millrace::detail {
namespace {

std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

class RocksDbScan final : public StateScan {
 public:
  RocksDbScan(rocksdb::DB& database, std::string_view first, std::string_view end)
      : first_(first), end_(end), bound_(end_) {
    rocksdb::ReadOptions options;  // reads further and further ahead by itself
    if (!end_.empty()) options.iterate_upper_bound = &bound_;
    rows_.reset(database.NewIterator(options));
  }

  bool next() override {
    if (!begun_) {
      rows_->Seek(first_);
      begun_ = true;
    } else if (rows_->Valid()) {
      rows_->Next();
    }
    return rows_->Valid();
  }
  std::string_view key() const override { return view(rows_->key()); }
  std::string_view value() const override { return view(rows_->value()); }
  Status status() const override { return to_status(rows_->status(), "cannot read state"); }

 private:
  const std::string first_;
  const std::string end_;
  const rocksdb::Slice bound_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<StateScan> scan_rows(rocksdb::DB& database, std::string_view first,
                                     std::string_view end) {
  return std::make_unique<RocksDbScan>(database, first, end);
}

}  // namespace millrace::detail
