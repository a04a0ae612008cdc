#include "millrace/coordination/worker/worker_directory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <vector>

#include "millrace/core/text.h"
#include "millrace/plan/logical_plan.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLogEnding = ".log";

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "machine";
  return name.data();
}

std::string new_worker_id() {
  std::random_device random;
  return concat(machine_name(), '-', to_hex(random()).substr(8));
}

bool is_older(const fs::path& path, Timestamp than) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(path, error);
  return !error && time < fs::file_time_type::clock::from_sys(than);
}

}  // namespace

WorkerDirectory::WorkerDirectory(const Path& directory)
    : directory_(fs::absolute(directory).lexically_normal()),
      files_(std::make_unique<RealFileSystem>()) {}

Result<WorkerDirectory> WorkerDirectory::open(const Path& directory) {
  WorkerDirectory opened(directory);
  const Path& path = opened.directory_;
  if (Status made = opened.files_->make_directories(path); !made) return made.error();
  Result<std::unique_ptr<FileLock>> lock =
      opened.files_->lock(path / ".worker.lock", WhenLocked::kFail);
  if (!lock) return lock.error();
  if (*lock == nullptr) {
    return invalid_argument(concat(in_quotes(path.native()),
                                   " is the directory of a worker that runs; give this one another "
                                   "with --dir, or stop that one"));
  }
  opened.lock_ = *std::move(lock);
  std::error_code ignored;
  fs::remove_all(path / "hosts", ignored);
  for (const Path& folder : {path / "hosts", opened.logs()}) {
    if (Status made = opened.files_->make_directories(folder); !made) return made.error();
  }
  return opened;
}

void WorkerDirectory::note_registered(bool registered) const {
  const Path path = registered_file(directory_);
  std::error_code ignored;
  fs::remove(path, ignored);
  if (registered) std::ofstream(path) << getpid() << '\n';
}

Result<std::string> WorkerDirectory::worker_id() {
  const Path path = directory_ / "worker-id";
  Result<std::string> id = read_file(*files_, path);
  if (id && !id->empty()) return id;
  if (!id && id.error().code() != ErrorCode::kNotFound) return id.error();
  const Path writing = directory_ / ".worker-id.writing";
  const std::string made = new_worker_id();
  if (Status removed = files_->remove(writing); !removed) return removed.error();
  if (Status written = files_->write_file(writing, made); !written) return written.error();
  if (Status renamed = files_->rename(writing, path); !renamed) return renamed.error();
  if (Status synced = files_->sync_directory(directory_); !synced) return synced.error();
  return made;
}

Status WorkerDirectory::prepare(HostLaunch launch) {
  const HostId& host = launch.host;
  launch.local = local_state(host).native();
  launch.copies = copies(host.job).native();
  launch.crash_page = crash_page(host).native();
  const Result<std::string> bytes = encode(launch);
  if (!bytes) return bytes.error();
  remove(host);
  std::error_code ignored;  // if there are copies they are in use again
  fs::last_write_time(launch.copies, fs::file_time_type::clock::now(), ignored);
  if (Status made = files_->make_directories(folder(host)); !made) return made;
  return files_->write_file(launch_file(host), *bytes);
}

void WorkerDirectory::remove(const HostId& host) {
  std::error_code ignored;
  fs::remove_all(folder(host), ignored);
}

std::string WorkerDirectory::end_of_logs(const std::string& job, std::uint64_t bytes_each) const {
  std::vector<Path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(logs(), ignored)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with(job + '-') && name.ends_with(kLogEnding)) found.push_back(entry.path());
  }
  std::ranges::sort(found, {}, [](const Path& path) {
    const std::string name = path.native();
    return std::pair(name.size(), name);  // hosts are numbered
  });
  std::string text;
  for (const Path& path : found) {
    text += concat("==> ", path.stem().native(), " <==\n");
    const std::uint64_t each = std::min(bytes_each, kMostLogBytes / found.size());
    text += end_of_file(path, each);
    if (!text.ends_with('\n')) text += '\n';
  }
  return text;
}

void WorkerDirectory::remove_old_copies(const std::set<HostId>& in_use, Timestamp before) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_ / "copies", ignored)) {
    const std::string job = entry.path().filename();
    if (std::ranges::find(in_use, job, &HostId::job) != in_use.end()) continue;
    if (is_older(entry.path(), before)) fs::remove_all(entry.path(), ignored);
  }
}

void WorkerDirectory::remove_old_logs(const std::set<HostId>& in_use, Timestamp before) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(logs(), ignored)) {
    const Result<HostId> host = parse_host_id(entry.path().stem().native());
    if (!host || in_use.contains(*host)) continue;
    if (is_older(entry.path(), before)) fs::remove(entry.path(), ignored);
  }
}

std::string end_of_file(const fs::path& file, std::uint64_t bytes) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<std::uint64_t>(in.tellg());
  const std::uint64_t begin = size > bytes ? size - bytes : 0;
  in.seekg(static_cast<std::streamoff>(begin));
  std::string text(size - begin, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const std::size_t line = text.find('\n');
  if (begin > 0 && line != std::string::npos && line + 1 < text.size()) text.erase(0, line + 1);
  return text;
}

}  // namespace millrace::detail
