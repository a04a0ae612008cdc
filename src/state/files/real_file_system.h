// The operating system's files.
#pragma once

#include <atomic>
#include <cstdint>

#include "millrace/state/files/file_system.h"

namespace millrace::detail {

class RealFileSystem final : public FileSystem {
 public:
  RealFileSystem();

  Status write_file(const Path& path, std::string_view bytes) override;
  Status link_or_copy(const Path& from, const Path& to) override;
  Status copy(const Path& from, const Path& to) override;
  Status read(const Path& path, const UseChunk& use) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Result<std::vector<std::string>> list(const Path& directory) override;
  Status make_directories(const Path& path) override;
  Status sync_directory(const Path& path) override;
  Result<std::unique_ptr<FileLock>> lock(const Path& path, WhenLocked when_locked) override;
  std::string unique_name() override;

 private:
  const std::uint64_t token_;  // of this object
  std::atomic<std::uint64_t> names_ = 0;
};

}  // namespace millrace::detail
