// A checkpoint store in memory that counts what is uploaded, and whose files a test may damage.
#pragma once

#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::test {

class CheckpointStoreFake : public detail::CheckpointStore {
 public:
  using CheckpointName = detail::CheckpointName;
  using StoredFile = detail::StoredFile;

  Result<StoredFile> put_file(const CheckpointName& checkpoint, std::string name,
                              const std::filesystem::path& file) override {
    std::ostringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return put(checkpoint, std::move(name), bytes.str());
  }

  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (bytes_until_full_ < bytes.size()) return resource_exhausted("the checkpoint store is full");
    bytes_until_full_ -= bytes.size();
    uploaded_ += bytes.size();
    StoredFile file{.name = name,
                    .path = concat(to_string(checkpoint), '/', ++files_put_, '-', name),
                    .bytes = bytes.size(),
                    .checksum = checksum_of(bytes)};
    files_.emplace(file.path, bytes);
    return file;
  }

  Status fetch_file(const StoredFile& file, const std::filesystem::path& to) override {
    const Result<std::string> bytes = fetch(file);
    if (!bytes) return bytes.error();
    std::ofstream(to, std::ios::binary) << *bytes;
    return {};
  }

  Result<std::string> fetch(const StoredFile& file) override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(file.path);
    if (found == files_.end()) return not_found(concat("there is no ", in_quotes(file.path)));
    if (found->second.size() == file.bytes && checksum_of(found->second) == file.checksum) {
      return found->second;
    }
    return corruption(concat(in_quotes(file.path), " is damaged"));
  }

  Status write_metadata(const CheckpointName&, std::string_view) override { return {}; }
  Result<std::string> read_metadata(const CheckpointName&) override { return std::string(); }
  Status remove_unused(const CheckpointName&, const std::set<CheckpointName>&,
                       const std::set<std::string>&) override {
    return {};
  }

  std::string& bytes_of(const StoredFile& file) { return files_.at(file.path); }
  void lose(const StoredFile& file) { files_.erase(file.path); }
  void give_back(const StoredFile& file, const std::string& bytes) { files_[file.path] = bytes; }
  void fill_up_after(std::size_t bytes) { bytes_until_full_ = bytes; }

  // Since the last call.
  std::size_t take_uploaded() { return std::exchange(uploaded_, 0); }

 private:
  static detail::FileChecksum checksum_of(std::string_view bytes) {
    const std::uint64_t hash = detail::hash_text(bytes);
    return {.high = hash, .low = detail::mix64(hash)};
  }

  std::mutex mutex_;
  std::map<std::string, std::string> files_;
  int files_put_ = 0;
  std::size_t uploaded_ = 0;
  std::size_t bytes_until_full_ = SIZE_MAX;
};

}  // namespace millrace::test
