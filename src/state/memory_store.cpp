#include "millrace/state/memory_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kFile = "rows";
constexpr std::string_view kMagic = "MRROWS01";

// Walks over a copy.
class MemoryScan final : public StateScan {
 public:
  using Rows = std::vector<std::pair<std::string, std::string>>;

  explicit MemoryScan(Rows rows) : rows_(std::move(rows)) {}

  bool next() override {
    if (begun_ && at_ < rows_.size()) ++at_;
    begun_ = true;
    return at_ < rows_.size();
  }
  std::string_view key() const override { return rows_[at_].first; }
  std::string_view value() const override { return rows_[at_].second; }
  Status status() const override { return {}; }

 private:
  const Rows rows_;
  std::size_t at_ = 0;
  bool begun_ = false;
};

void put_number(std::string& bytes, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
}

void put_text(std::string& bytes, const std::string& text) {
  put_number(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

std::string encode(const MemoryStateStore::Rows& rows) {
  std::string bytes(kMagic);
  for (const auto& [key, value] : rows) {
    put_text(bytes, key);
    put_text(bytes, value);
  }
  return bytes;
}

class MemoryUpload final : public StateUpload {
 public:
  MemoryUpload(std::string bytes, UploadTarget target)
      : bytes_(std::move(bytes)), target_(std::move(target)) {}

  Result<bool> step() override {
    Result<StoredFile> stored = target_.into.put(target_.name, std::string(kFile), bytes_);
    if (!stored) return stored.error().with_context("uploading state");
    files_ = {*std::move(stored)};
    return false;
  }
  std::vector<StoredFile> take_files() override { return std::move(files_); }

 private:
  const std::string bytes_;
  const UploadTarget target_;
  std::vector<StoredFile> files_;
};

// Takes the next text from the front of `bytes`; false if it is not all there.
bool take_text(std::string_view& bytes, std::string& text) {
  if (bytes.size() < 4) return false;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(4);
  if (bytes.size() < size) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

Error damaged(const StoredFile& file, std::size_t at) {
  return corruption(concat("file ", in_quotes(file.name), " at ", in_quotes(file.path),
                           " is no sequence of rows from byte ", at,
                           " on; go on from another checkpoint"));
}

Result<MemoryStateStore::Rows> decode(std::string_view all, const StoredFile& file) {
  if (!all.starts_with(kMagic)) return damaged(file, 0);
  MemoryStateStore::Rows rows;
  for (std::string_view left = all.substr(kMagic.size()); !left.empty();) {
    const std::size_t at = all.size() - left.size();
    std::string key;
    std::string value;
    const bool whole = take_text(left, key) && take_text(left, value);
    if (!whole || (!rows.empty() && key <= rows.rbegin()->first)) return damaged(file, at);
    rows.emplace_hint(rows.end(), std::move(key), std::move(value));
  }
  return rows;
}

}  // namespace

Status MemoryStateStore::get(std::span<const std::string_view> keys,
                             const std::function<void(std::size_t, std::string_view)>& found) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto row = rows_.find(keys[i]);
    if (row != rows_.end()) found(i, row->second);
  }
  return {};
}

std::unique_ptr<StateScan> MemoryStateStore::scan(std::string_view first, std::string_view end) {
  const std::lock_guard lock(mutex_);
  if (!end.empty() && end <= first) return std::make_unique<MemoryScan>(MemoryScan::Rows());
  const auto last = end.empty() ? rows_.end() : rows_.lower_bound(end);
  return std::make_unique<MemoryScan>(MemoryScan::Rows(rows_.lower_bound(first), last));
}

Status MemoryStateStore::ingest(std::span<const StateRow> rows) {
  const auto descends = [](const StateRow& a, const StateRow& b) { return a.key >= b.key; };
  if (std::ranges::adjacent_find(rows, descends) != rows.end()) {
    return internal("cannot add rows to state: their keys do not ascend strictly");
  }
  const std::lock_guard lock(mutex_);
  for (const StateRow& row : rows) {
    if (row.value) {
      rows_.insert_or_assign(std::string(row.key), std::string(*row.value));
    } else if (const auto old = rows_.find(row.key); old != rows_.end()) {
      rows_.erase(old);
    }
  }
  return {};
}

// Nobody else changes the rows.
Result<std::unique_ptr<StateUpload>> MemoryStateStore::begin_upload(UploadTarget target) {
  return std::unique_ptr<StateUpload>(
      std::make_unique<MemoryUpload>(encode(rows_), std::move(target)));
}

Result<std::unique_ptr<StateStore>> MemoryStateStoreFactory::make(std::string_view) {
  return std::make_unique<MemoryStateStore>();
}

Result<std::unique_ptr<StateStore>> MemoryStateStoreFactory::restore(
    std::string_view, std::span<const StoredFile> files, CheckpointStore& from) {
  if (files.size() != 1 || files.front().name != kFile) {
    return corruption(concat("cannot restore state: the checkpoint's files are not the one file ",
                             in_quotes(kFile),
                             " of state in memory; set the state backend that "
                             "the checkpoint was taken with, or go on from another"));
  }
  const Result<std::string> bytes = from.fetch(files.front());
  if (!bytes) return bytes.error().with_context("cannot restore state");
  Result<MemoryStateStore::Rows> rows = decode(*bytes, files.front());
  if (!rows) return rows.error().with_context("cannot restore state");
  return std::make_unique<MemoryStateStore>(*std::move(rows));
}

}  // namespace millrace::detail
