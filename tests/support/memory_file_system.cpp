#include "support/memory_file_system.h"

#include <cerrno>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::test {

using detail::file_error;
using detail::FileLock;
using detail::WhenLocked;

class MemoryFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(std::shared_ptr<Locks> locks, std::string path)
      : locks_(std::move(locks)), path_(std::move(path)) {}
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  ~HeldLock() override { locks_->erase(path_); }

 private:
  const std::shared_ptr<Locks> locks_;
  const std::string path_;
};

MemoryFileSystem::Node* MemoryFileSystem::find(const Path& path) {
  const auto node = now_.find(path.native());
  return node == now_.end() ? nullptr : node->second.get();
}

// Whether a file of that name can be made.
Status MemoryFileSystem::check_room(const Path& path) {
  const Node* const above = find(path.parent_path());
  if (above == nullptr) return file_error("create", path, ENOENT);
  if (!above->directory) return file_error("create", path, ENOTDIR);
  return find(path) == nullptr ? Status() : Status(file_error("create", path, EEXIST));
}

Status MemoryFileSystem::write_file(const Path& path, std::string_view bytes) {
  Status room = check_room(path);
  if (room) now_[path.native()] = std::make_shared<Node>(Node{.content = std::string(bytes)});
  return room;
}

void MemoryFileSystem::tear(const Path& path, std::string_view bytes) {
  if (!check_room(path)) return;
  now_[path.native()] =
      std::make_shared<Node>(Node{.content = std::string(bytes), .durable = false});
}

Status MemoryFileSystem::link_or_copy(const Path& from, const Path& to) {
  if (find(from) == nullptr) return file_error("link or copy", from, ENOENT);
  Status room = check_room(to);
  if (!room) return room;
  now_[to.native()] = now_[from.native()];
  find(to)->durable = true;
  return {};
}

Status MemoryFileSystem::copy(const Path& from, const Path& to) {
  const Node* const source = find(from);
  if (source == nullptr) return file_error("open", from, ENOENT);
  Status room = check_room(to);
  if (room) tear(to, source->content);
  return room;
}

// In small pieces, so that readers meet several.
Status MemoryFileSystem::read(const Path& path, const UseChunk& use) {
  constexpr std::size_t kChunk = 16;
  const auto node = now_.find(path.native());
  if (node == now_.end()) return file_error("open", path, ENOENT);
  if (node->second->directory) return file_error("read", path, EISDIR);
  std::string_view rest = node->second->content;
  Status status;
  for (; status && !rest.empty(); rest.remove_prefix(std::min(kChunk, rest.size()))) {
    status = use(rest.substr(0, kChunk));
  }
  return status;
}

Status MemoryFileSystem::rename(const Path& from, const Path& to) {
  if (find(from) == nullptr || find(to.parent_path()) == nullptr) {
    return file_error("rename", from, ENOENT);
  }
  now_[to.native()] = now_[from.native()];
  now_.erase(from.native());
  return {};
}

Status MemoryFileSystem::remove(const Path& path) {
  const Node* const node = find(path);
  if (node == nullptr) return {};
  if (node->directory && !list(path)->empty()) return file_error("remove", path, ENOTEMPTY);
  now_.erase(path.native());
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const Path& directory) {
  const Node* const node = find(directory);
  if (node == nullptr) return file_error("list the directory", directory, ENOENT);
  if (!node->directory) return file_error("list the directory", directory, ENOTDIR);
  std::vector<std::string> names;
  for (const auto& [path, entry] : now_) {
    const Path entry_path(path);
    if (entry_path.parent_path() == directory && entry_path.has_filename()) {
      names.push_back(entry_path.filename().native());
    }
  }
  return names;
}

Status MemoryFileSystem::make_directories(const Path& path) {
  Path directory;
  for (const Path& part : path) {
    directory /= part;
    auto& node = now_[directory.native()];
    if (node == nullptr) node = std::make_shared<Node>(Node{.directory = true});
    if (!node->directory) return file_error("make the directory", directory, ENOTDIR);
    durable_[directory.native()] = node;
  }
  return {};
}

Status MemoryFileSystem::sync_directory(const Path& path) {
  if (find(path) == nullptr) return file_error("open the directory", path, ENOENT);
  const auto is_in = [&](const auto& entry) { return Path(entry.first).parent_path() == path; };
  std::erase_if(durable_, [&](const auto& entry) {
    return is_in(entry) && entry.first != path.native() && !now_.contains(entry.first);
  });
  for (const auto& entry : now_) {
    if (is_in(entry)) durable_[entry.first] = entry.second;
  }
  return {};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const Path& path, WhenLocked when_locked) {
  if (find(path) == nullptr) {
    Status made = write_file(path, "");
    if (!made) return made.error();
  }
  if (locks_->insert(path.native()).second) {
    return std::unique_ptr<FileLock>(std::make_unique<HeldLock>(locks_, path.native()));
  }
  if (when_locked == WhenLocked::kFail) return std::unique_ptr<FileLock>();
  return file_error("lock", path, EDEADLK);
}

std::string MemoryFileSystem::unique_name() { return std::to_string(names_++); }

void MemoryFileSystem::cut_power(Random& random) {
  locks_ = std::make_shared<Locks>();
  // Of each name, what it stood for when it was synced, or what it stands for now.
  Nodes left;
  for (const auto& [path, node] : durable_) {
    if (now_.contains(path) || random.chance(0.5)) left[path] = node;
  }
  for (const auto& [path, node] : now_) {
    if (random.chance(0.5)) left[path] = node;
  }
  now_.clear();
  for (const auto& [path, node] : left) {  // a directory comes before what it holds
    const Path above = Path(path).parent_path();
    if (above.native() != path && !above.empty() && !now_.contains(above.native())) continue;
    if (!node->durable) node->content.resize(random.below(node->content.size() + 1));
    node->durable = true;
    now_[path] = node;
  }
  durable_ = now_;
}

void MemoryFileSystem::damage(const Path& path, std::string bytes) {
  const Node* const node = find(path);
  check(node != nullptr && !node->directory, "the file that is to be damaged exists");
  now_[path.native()] = std::make_shared<Node>(Node{.content = std::move(bytes)});
  durable_[path.native()] = now_[path.native()];
}

std::set<std::string> MemoryFileSystem::paths() const {
  std::set<std::string> paths;
  for (const auto& [path, node] : now_) {
    if (!node->directory) paths.insert(path);
  }
  return paths;
}

}  // namespace millrace::test
