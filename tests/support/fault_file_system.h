// A disk whose calls fail when a test says so: the n-th one, counted from then on and from 1, so
// that a sweep over n meets each call of an operation once.
//
//   for (std::size_t n = 1;; ++n) {
//     disk.fail(n, EIO);
//     Status status = operation();
//     if (!disk.failed()) break;   // it made fewer calls
//
// One thread at a time.
#pragma once

#include <cstddef>

#include "millrace/state/files/file_system.h"
#include "support/memory_file_system.h"

namespace millrace::test {

class FaultFileSystem final : public detail::FileSystem {
 public:
  explicit FaultFileSystem(MemoryFileSystem& below) : below_(below) {}

  void fail(std::size_t call, int error) { plan(call, error, Fault::kError); }
  // A write stores half of the content before it fails, and cannot even be undone. Other calls
  // fail as ever.
  void fail_short(std::size_t call, int error) { plan(call, error, Fault::kShort); }
  // From this call on, of which half may be done, none does anything: cut_power() of the disk
  // below says what is left.
  void cut_power(std::size_t call);

  bool failed() const { return failed_; }

  Status write_file(const Path& path, std::string_view bytes) override;
  Status link_or_copy(const Path& from, const Path& to) override;
  Status copy(const Path& from, const Path& to) override;
  Status read(const Path& path, const UseChunk& use) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Result<std::vector<std::string>> list(const Path& directory) override;
  Status make_directories(const Path& path) override;
  Status sync_directory(const Path& path) override;
  Result<std::unique_ptr<detail::FileLock>> lock(const Path& path,
                                                 detail::WhenLocked when_locked) override;
  std::string unique_name() override { return below_.unique_name(); }

 private:
  enum class Fault { kError, kShort, kPower };

  void plan(std::size_t call, int error, Fault fault);
  Status next_call(std::string_view what, const Path& path);
  bool is_torn() const { return fault_ != Fault::kError && calls_ == call_; }

  MemoryFileSystem& below_;
  std::size_t calls_ = 0;
  std::size_t call_ = 0;  // the one that fails; 0: none
  int error_ = 0;
  Fault fault_ = Fault::kError;
  bool failed_ = false;
};

}  // namespace millrace::test
