#include "millrace/state/memory_store.h"

#include "millrace/core/codec/codec.h"

namespace millrace::detail {
namespace {

class MemoryScan final : public StateScan {
 public:
  using Rows = MemoryStateStore::Rows;

  MemoryScan(std::shared_ptr<const Rows> rows, std::string_view first, std::string_view end)
      : rows_(std::move(rows)),
        next_(rows_->lower_bound(first)),
        end_(end.empty() ? rows_->end() : rows_->lower_bound(end)) {}

  bool next() override {
    if (next_ == end_) return false;
    current_ = next_++;
    return true;
  }
  std::string_view key() const override { return current_->first; }
  std::string_view value() const override { return current_->second; }
  Status status() const override { return {}; }

 private:
  std::shared_ptr<const Rows> rows_;
  Rows::const_iterator next_;
  Rows::const_iterator end_;
  Rows::const_iterator current_;
};

}  // namespace

std::shared_ptr<const MemoryStateStore::Rows> MemoryStateStore::rows() const {
  std::lock_guard lock(mutex_);
  return rows_;
}

Status MemoryStateStore::get(std::span<const std::string_view> keys,
                             const std::function<void(std::size_t, std::string_view)>& found) {
  const std::shared_ptr<const Rows> rows = this->rows();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto row = rows->find(keys[i]); row != rows->end()) found(i, row->second);
  }
  return {};
}

std::unique_ptr<StateScan> MemoryStateStore::scan(std::string_view first, std::string_view end) {
  return std::make_unique<MemoryScan>(rows(), first, end);
}

Status MemoryStateStore::ingest(std::span<const StateRow> changes) {
  Rows rows = *this->rows();
  for (const StateRow& change : changes) {
    if (change.value) {
      rows.insert_or_assign(std::string(change.key), std::string(*change.value));
    } else {
      rows.erase(std::string(change.key));
    }
  }
  auto replaced = std::make_shared<const Rows>(std::move(rows));
  std::lock_guard lock(mutex_);
  rows_ = std::move(replaced);
  return {};
}

Result<std::vector<StoredFile>> MemoryStateStore::checkpoint(const CheckpointName& name,
                                                             std::span<const StoredFile>,
                                                             CheckpointStore& into) {
  Result<std::string> bytes =
      encode_value(std::map<std::string, std::string>(rows()->begin(), rows()->end()));
  if (!bytes) return bytes.error();
  Result<StoredFile> file = into.put(name, "rows", *bytes);
  if (!file) return file.error();
  return std::vector<StoredFile>{*std::move(file)};
}

Result<std::unique_ptr<StateStore>> MemoryStateStoreFactory::make(std::string_view) {
  return std::unique_ptr<StateStore>(std::make_unique<MemoryStateStore>());
}

Result<std::unique_ptr<StateStore>> MemoryStateStoreFactory::restore(
    std::string_view, std::span<const StoredFile> files, CheckpointStore& from) {
  std::map<std::string, std::string> rows;
  for (const StoredFile& file : files) {
    Result<std::string> bytes = from.fetch(file);
    if (!bytes) return bytes.error();
    Status decoded = decode_value(*bytes, rows);
    if (!decoded) return decoded.error();
  }
  return std::unique_ptr<StateStore>(
      std::make_unique<MemoryStateStore>(MemoryStateStore::Rows(rows.begin(), rows.end())));
}

}  // namespace millrace::detail
