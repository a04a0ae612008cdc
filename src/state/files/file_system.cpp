#include "millrace/state/files/file_system.h"

#include <cerrno>
#include <cstring>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space, or raise the limit";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check its permissions, and that it is not mounted read-only";
    case EIO:
      return "check the disk; the system's log says more";
    default:
      return "check the path";
  }
}

ErrorCode code_of(int error) {
  switch (error) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

Error file_error(std::string_view what, const std::filesystem::path& path, int error) {
  return Error(code_of(error), concat("cannot ", what, " '", path.native(),
                                      "': ", std::strerror(error), "; ", remedy(error)));
}

Result<std::string> read_file(FileSystem& files, const std::filesystem::path& path) {
  std::string bytes;
  Status status = files.read(path, [&](std::string_view chunk) {
    bytes += chunk;
    return Status();
  });
  if (!status) return status.error();
  return bytes;
}

}  // namespace millrace::detail
