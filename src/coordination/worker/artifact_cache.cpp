#include "millrace/coordination/worker/artifact_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "millrace/core/text.h"
#include "millrace/state/files/real_file_system.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kExecutable = 0555;  // and not to be written to

Status write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error("write the executable to", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> sha256_of_file(const fs::path& path) {
  RealFileSystem files;
  Sha256 hash;
  const Status read = files.read(path, [&](std::string_view chunk) {
    hash.add(chunk);
    return Status();
  });
  if (!read) return read.error();
  return hash.take();
}

fs::file_time_type file_time(Timestamp time) { return fs::file_time_type::clock::from_sys(time); }

}  // namespace

Result<ArtifactCache> ArtifactCache::open(const fs::path& directory) {
  RealFileSystem files;
  if (Status made = files.make_directories(directory); !made) return made.error();
  const Result<std::vector<std::string>> names = files.list(directory);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.starts_with('.')) continue;
    if (Status removed = files.remove(directory / name); !removed) return removed.error();
  }
  return ArtifactCache(directory);
}

ArtifactCache::~ArtifactCache() {
  for (const auto& [artifact, download] : downloads_) close(download.descriptor);
}

Result<ArtifactProgress> ArtifactCache::look_for(const std::string& artifact, std::uint64_t bytes) {
  const fs::path path = whole(artifact);
  const auto download = downloads_.find(artifact);
  if (download != downloads_.end()) return ArtifactProgress{.offset = download->second.offset};
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return begin(artifact, bytes);
  if (!verified_.contains(artifact)) {
    const Result<std::string> hash = sha256_of_file(path);
    if (!hash) return hash.error();
    if (*hash != artifact) return begin(artifact, bytes);
    verified_.insert(artifact);
  }
  touch(artifact);
  return ArtifactProgress{.file = path};
}

Result<ArtifactProgress> ArtifactCache::begin(const std::string& artifact, std::uint64_t bytes) {
  if (bytes == 0 || bytes > kMostArtifactBytes) {
    return invalid_argument(concat("an executable has from 1 to ", kMostArtifactBytes,
                                   " bytes, and ", artifact, " would have ", bytes));
  }
  const fs::path path = part(artifact);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error("write the executable to", path, errno);
  downloads_[artifact] = {.descriptor = descriptor, .bytes = bytes};
  return ArtifactProgress{};
}

Result<std::optional<ArtifactProgress>> ArtifactCache::add(const ArtifactPart& part) {
  const auto found = downloads_.find(part.artifact);
  if (found == downloads_.end()) return std::optional<ArtifactProgress>();
  Download& download = found->second;
  if (!part.error && part.offset < download.offset) return std::optional<ArtifactProgress>();
  if (Status appended = append(download, part); !appended) {
    discard(part.artifact);
    return appended.error().with_context(concat("fetching executable ", part.artifact));
  }
  if (download.offset < download.bytes) {
    return std::optional(ArtifactProgress{.offset = download.offset});
  }
  Result<ArtifactProgress> whole = finish(found);
  if (!whole) return whole.error();
  return std::optional(*std::move(whole));
}

Status ArtifactCache::append(Download& download, const ArtifactPart& part) {
  if (part.error) return *part.error;
  if (part.offset != download.offset || part.bytes.empty() ||
      part.bytes.size() > download.bytes - download.offset) {
    return corruption(concat("the leader sent ", part.bytes.size(), " bytes from ", part.offset,
                             " on, where those from ", download.offset, " on were asked for, of ",
                             download.bytes));
  }
  Status written = write_all(download.descriptor, part.bytes, this->part(part.artifact));
  if (!written) return written;
  download.hash.add(part.bytes);
  download.offset += part.bytes.size();
  return {};
}

Result<ArtifactProgress> ArtifactCache::finish(Downloads::iterator download) {
  const std::string artifact = download->first;
  const std::string hash = download->second.hash.take();
  const fs::path path = whole(artifact);
  Status done;
  if (hash != artifact) {
    done = corruption(concat("the executable that was fetched as ", artifact, " has the SHA-256 ",
                             hash, ": the leader's copy is damaged; submit the job again"));
  } else if (fchmod(download->second.descriptor, kExecutable) != 0 ||
             fsync(download->second.descriptor) != 0 ||
             rename(part(artifact).c_str(), path.c_str()) != 0) {
    done = file_error("keep the executable as", path, errno);
  } else {
    done = RealFileSystem().sync_directory(directory_);
  }
  discard(artifact);
  if (!done) return done.error();
  verified_.insert(artifact);
  return ArtifactProgress{.file = path};
}

void ArtifactCache::discard(const std::string& artifact) {
  const auto download = downloads_.extract(artifact);
  if (download.empty()) return;
  close(download.mapped().descriptor);
  unlink(part(artifact).c_str());
}

void ArtifactCache::touch(const std::string& artifact) const {
  std::error_code ignored;
  fs::last_write_time(whole(artifact), file_time(SystemClock().now()), ignored);
}

void ArtifactCache::remove_unused(const std::set<std::string>& in_use, Timestamp before) {
  std::vector<std::string> incomplete;
  for (const auto& [artifact, download] : downloads_) {
    if (!in_use.contains(artifact)) incomplete.push_back(artifact);
  }
  for (const std::string& artifact : incomplete) discard(artifact);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
    const std::string name = entry.path().filename().native();
    if (!is_sha256(name) || in_use.contains(name)) continue;
    if (fs::last_write_time(entry.path(), ignored) >= file_time(before)) continue;
    fs::remove(entry.path(), ignored);
    verified_.erase(name);
  }
}

}  // namespace millrace::detail
