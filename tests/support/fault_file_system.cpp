#include "support/fault_file_system.h"

#include <cerrno>

namespace millrace::test {

using detail::FileLock;
using detail::WhenLocked;

void FaultFileSystem::plan(std::size_t call, int error, Fault fault) {
  calls_ = 0;
  call_ = call;
  error_ = error;
  fault_ = fault;
  failed_ = false;
}

void FaultFileSystem::cut_power(std::size_t call) { plan(call, EIO, Fault::kPower); }

Status FaultFileSystem::next_call(std::string_view what, const Path& path) {
  ++calls_;
  const bool fails = fault_ == Fault::kPower ? calls_ >= call_ : calls_ == call_;
  if (call_ == 0 || !fails) return {};
  failed_ = true;
  return detail::file_error(what, path, error_);
}

Status FaultFileSystem::write_file(const Path& path, std::string_view bytes) {
  Status status = next_call("write", path);
  if (status) return below_.write_file(path, bytes);
  if (is_torn()) below_.tear(path, bytes.substr(0, bytes.size() / 2));
  return status;
}

Status FaultFileSystem::link_or_copy(const Path& from, const Path& to) {
  Status status = next_call("link or copy", from);
  if (status) return below_.link_or_copy(from, to);
  if (is_torn()) (void)below_.copy(from, to);
  return status;
}

Status FaultFileSystem::copy(const Path& from, const Path& to) {
  Status status = next_call("copy", from);
  if (status) return below_.copy(from, to);
  if (is_torn()) below_.tear(to, "");
  return status;
}

Status FaultFileSystem::read(const Path& path, const UseChunk& use) {
  Status status = next_call("read", path);
  return status ? below_.read(path, use) : status;
}

Status FaultFileSystem::rename(const Path& from, const Path& to) {
  Status status = next_call("rename", from);
  return status ? below_.rename(from, to) : status;
}

Status FaultFileSystem::remove(const Path& path) {
  Status status = next_call("remove", path);
  return status ? below_.remove(path) : status;
}

Result<std::vector<std::string>> FaultFileSystem::list(const Path& directory) {
  Status status = next_call("list the directory", directory);
  return status ? below_.list(directory) : status.error();
}

Status FaultFileSystem::make_directories(const Path& path) {
  Status status = next_call("make the directory", path);
  return status ? below_.make_directories(path) : status;
}

Status FaultFileSystem::sync_directory(const Path& path) {
  Status status = next_call("make durable the directory", path);
  return status ? below_.sync_directory(path) : status;
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::lock(const Path& path, WhenLocked when_locked) {
  Status status = next_call("lock", path);
  if (!status) return status.error();
  return below_.lock(path, when_locked);
}

}  // namespace millrace::test
