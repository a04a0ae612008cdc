#include "faults/failing_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace {

using millrace::faults::FailingCall;

FailingCall planned;
std::atomic<long> left{0};  // calls, with the one that fails; 0 or less: none does

bool fails(std::string_view name) {
  if (left.fetch_sub(1) != 1) return false;
  planned.tell(name);
  errno = planned.error;
  return true;
}

bool fails(std::string_view name, const char* path) {
  return left.load(std::memory_order_acquire) > 0 &&
         std::string_view(path).starts_with(planned.below) && fails(name);
}

// The function that this program's own one hides.
template <class Function>
Function* hidden(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int status_of(int file, struct stat* status) {
  static const auto next = hidden<int(int, struct stat*)>("fstat");
  return next(file, status);
}

// Files and folders, but for what the program says.
bool fails(std::string_view name, int descriptor) {
  if (left.load(std::memory_order_acquire) <= 0 || descriptor <= STDERR_FILENO) return false;
  struct stat file {};
  if (status_of(descriptor, &file) != 0) return false;
  return (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode)) && fails(name);
}

int mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
}

int open_file(int folder, const char* path, int flags, int mode) {
  if (fails("open", path)) return -1;
  return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
}

ssize_t write_at(int file, const void* bytes, size_t size, off_t offset) {
  if (fails("pwrite", file)) return -1;
  return syscall(SYS_pwrite64, file, bytes, size, offset);
}

ssize_t read_at(int file, void* bytes, size_t size, off_t offset) {
  if (fails("pread", file)) return -1;
  return syscall(SYS_pread64, file, bytes, size, offset);
}

int truncate_file(int file, off_t size) {
  if (fails("ftruncate", file)) return -1;
  return static_cast<int>(syscall(SYS_ftruncate, file, size));
}

int allocate_file(int file, int mode, off_t offset, off_t size) {
  if (fails("fallocate", file)) return -1;
  return static_cast<int>(syscall(SYS_fallocate, file, mode, offset, size));
}

}  // namespace

namespace millrace::faults {

void fail_call(FailingCall call) {
  planned = std::move(call);
  left.store(planned.number, std::memory_order_release);
}

bool fail_no_call() { return left.exchange(0) > 0; }

}  // namespace millrace::faults

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(folder, path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  static const auto next = hidden<decltype(fopen)>("fopen");
  return fails("fopen", path) ? nullptr : next(path, mode);
}

// By which the standard library's streams open.
FILE* fopen64(const char* path, const char* mode) {
  static const auto next = hidden<decltype(fopen64)>("fopen64");
  return fails("fopen64", path) ? nullptr : next(path, mode);
}

int fclose(FILE* file) {
  static const auto next = hidden<decltype(fclose)>("fclose");
  const bool failed = fails("fclose", fileno(file));
  const int result = next(file);
  if (!failed) return result;
  errno = planned.error;
  return EOF;
}

DIR* opendir(const char* path) {
  static const auto next = hidden<decltype(opendir)>("opendir");
  return fails("opendir", path) ? nullptr : next(path);
}

struct dirent* readdir(DIR* folder) {
  static const auto next = hidden<decltype(readdir)>("readdir");
  return fails("readdir", dirfd(folder)) ? nullptr : next(folder);
}

// The file is closed all the same, as Linux has it.
int close(int file) {
  const bool failed = fails("close", file);
  const auto result = static_cast<int>(syscall(SYS_close, file));
  if (!failed) return result;
  errno = planned.error;
  return -1;
}

int access(const char* path, int kind) noexcept {
  if (fails("access", path)) return -1;
  return static_cast<int>(syscall(SYS_access, path, kind));
}

int stat(const char* path, struct stat* status) noexcept {
  static const auto next = hidden<int(const char*, struct stat*)>("stat");
  return fails("stat", path) ? -1 : next(path, status);
}

int fstat(int file, struct stat* status) noexcept {
  return fails("fstat", file) ? -1 : status_of(file, status);
}

int flock(int file, int operation) noexcept {
  if (fails("flock", file)) return -1;
  return static_cast<int>(syscall(SYS_flock, file, operation));
}

ssize_t read(int file, void* bytes, size_t size) {
  if (fails("read", file)) return -1;
  return syscall(SYS_read, file, bytes, size);
}

ssize_t write(int file, const void* bytes, size_t size) {
  if (fails("write", file)) return -1;
  return syscall(SYS_write, file, bytes, size);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  if (fails("writev", file)) return -1;
  return syscall(SYS_writev, file, parts, count);
}

ssize_t pread(int file, void* bytes, size_t size, off_t offset) {
  return read_at(file, bytes, size, offset);
}
ssize_t pread64(int file, void* bytes, size_t size, off64_t offset) {
  return read_at(file, bytes, size, offset);
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return write_at(file, bytes, size, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return write_at(file, bytes, size, offset);
}

int fsync(int file) {
  if (fails("fsync", file)) return -1;
  return static_cast<int>(syscall(SYS_fsync, file));
}

int fdatasync(int file) {
  if (fails("fdatasync", file)) return -1;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}

int ftruncate(int file, off_t size) noexcept { return truncate_file(file, size); }
int ftruncate64(int file, off64_t size) noexcept { return truncate_file(file, size); }

int fallocate(int file, int mode, off_t offset, off_t size) {
  return allocate_file(file, mode, offset, size);
}
int fallocate64(int file, int mode, off64_t offset, off64_t size) {
  return allocate_file(file, mode, offset, size);
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", from)) return -1;
  return static_cast<int>(syscall(SYS_rename, from, to));
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  if (fails("renameat2", from)) return -1;
  return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

int link(const char* from, const char* to) noexcept {
  if (fails("link", from)) return -1;
  return static_cast<int>(syscall(SYS_link, from, to));
}

int unlink(const char* path) noexcept {
  if (fails("unlink", path)) return -1;
  return static_cast<int>(syscall(SYS_unlink, path));
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  if (fails("unlinkat", path)) return -1;
  return static_cast<int>(syscall(SYS_unlinkat, folder, path, flags));
}

int rmdir(const char* path) noexcept {
  if (fails("rmdir", path)) return -1;
  return static_cast<int>(syscall(SYS_rmdir, path));
}

int remove(const char* path) noexcept {
  static const auto next = hidden<int(const char*)>("remove");
  return fails("remove", path) ? -1 : next(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (fails("mkdir", path)) return -1;
  return static_cast<int>(syscall(SYS_mkdir, path, mode));
}

}  // extern "C"
