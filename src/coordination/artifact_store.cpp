#include "millrace/coordination/artifact_store.h"

#include <algorithm>
#include <fstream>

#include "millrace/core/sha256.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPart = std::size_t{1} << 20;

}  // namespace

// As long as somebody asks for it it stays; that it cannot be noted is no reason to do without it.
void ArtifactStore::touch(std::string_view artifact) {
  const std::lock_guard lock(mutex_);
  std::error_code ignored;
  fs::last_write_time(directory_ / artifact, fs::file_time_type::clock::now(), ignored);
}

bool ArtifactStore::has(std::string_view sha256) {
  return size_of(std::string(sha256)).has_value();
}

// Who cannot be told may ask again: a disk that fails for a moment has lost nothing.
Result<std::uint64_t> ArtifactStore::size_of(const std::string& artifact) {
  std::error_code error;
  if (is_sha256(artifact)) {
    touch(artifact);
    const std::uintmax_t size = fs::file_size(directory_ / artifact, error);
    if (!error && size > 0) return size;
  }
  if (!error || error == std::errc::no_such_file_or_directory) {
    return not_found(
        concat("the executable ", artifact, " is not in the cluster's store; upload it first"));
  }
  return unavailable(concat("cannot look at the executable ", artifact, " in ",
                            in_quotes(directory_.native()), ": ", error.message(),
                            "; check that disk"));
}

Status ArtifactStore::put(std::string_view sha256, const ClusterControl::Parts& next) {
  if (!is_sha256(sha256)) {
    return invalid_argument(concat(in_quotes(sha256), " is no SHA-256: 64 hexadecimal digits"));
  }
  const fs::path temporary = directory_ / concat(".", files_.unique_name());
  const fs::path durable = directory_ / concat(".", files_.unique_name());
  Status status = receive(temporary, sha256, next);
  if (status) status = files_.link_or_copy(temporary, durable);
  (void)files_.remove(temporary);
  if (status) status = files_.rename(durable, directory_ / sha256);
  return status ? files_.sync_directory(directory_) : status;
}

Status ArtifactStore::receive(const fs::path& temporary, std::string_view sha256,
                              const ClusterControl::Parts& next) {
  Sha256 hash;
  std::ofstream out(temporary, std::ios::binary);
  for (;;) {
    const Result<std::string> part = next();
    if (!part) return part.error();
    if (part->empty()) break;
    hash.add(*part);
    out << *part;
  }
  out.close();
  if (!out) {
    return resource_exhausted(concat("cannot write ", in_quotes(temporary.native()),
                                     "; free space on that disk and check its permissions"));
  }
  const std::string sent = hash.take();
  if (sent == sha256) return {};
  return corruption(
      concat("what was sent has the SHA-256 ", sent, ", and not ", sha256, "; send it again"));
}

Result<std::string> ArtifactStore::read(const std::string& artifact, std::uint64_t offset) const {
  const fs::path path = directory_ / artifact;
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(kPart, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!in && !in.eof()) return unavailable(concat("cannot read ", in_quotes(path.native())));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

// An upload is written to as it comes, so one that is old was given up.
void ArtifactStore::remove_unused(const std::set<std::string>& in_use, Timestamp before) {
  const std::lock_guard lock(mutex_);
  const fs::file_time_type limit = fs::file_time_type::clock::from_sys(before);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_, ignored)) {
    const std::string name = entry.path().filename().native();
    if ((!is_sha256(name) && !name.starts_with('.')) || in_use.contains(name)) continue;
    std::error_code error;
    const fs::file_time_type used = fs::last_write_time(entry.path(), error);
    if (!error && used < limit) (void)files_.remove(entry.path());
  }
}

}  // namespace millrace::detail
