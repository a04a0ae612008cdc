// A disk in memory that tells apart what is durable and what is not, so that the power can be cut.
// What has not been synced may be there afterwards or not: each name of a file by itself, which is
// more than a real file system allows itself.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "millrace/core/random.h"
#include "millrace/state/files/file_system.h"

namespace millrace::test {

class MemoryFileSystem final : public detail::FileSystem {
 public:
  Status write_file(const Path& path, std::string_view bytes) override;
  Status link_or_copy(const Path& from, const Path& to) override;
  Status copy(const Path& from, const Path& to) override;
  Status read(const Path& path, const UseChunk& use) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Result<std::vector<std::string>> list(const Path& directory) override;
  Status make_directories(const Path& path) override;
  Status sync_directory(const Path& path) override;
  // What is locked cannot be waited for here: that is an error.
  Result<std::unique_ptr<detail::FileLock>> lock(const Path& path,
                                                 detail::WhenLocked when_locked) override;
  std::string unique_name() override;

  // What a write that was interrupted leaves: a part of the content, not durable.
  void tear(const Path& path, std::string_view bytes);

  // Frees all locks, and loses what is not durable, or not, by chance.
  void cut_power(Random& random);

  // Puts other bytes into a file, as a broken disk would.
  void damage(const Path& path, std::string bytes);

  std::set<std::string> paths() const;

 private:
  struct Node {
    bool directory = false;
    std::string content;
    bool durable = true;  // the content
  };
  using Nodes = std::map<std::string, std::shared_ptr<Node>, std::less<>>;
  using Locks = std::set<std::string>;
  class HeldLock;

  Node* find(const Path& path);
  Status check_room(const Path& path);

  Nodes now_;
  Nodes durable_;  // names that outlive a power cut
  std::shared_ptr<Locks> locks_ = std::make_shared<Locks>();
  std::uint64_t names_ = 0;
};

}  // namespace millrace::test
