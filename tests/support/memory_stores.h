// Stores in memory that fail when they are told to: what is in them outlives every simulated crash.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "millrace/coordination/metadata_store.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_store.h"

namespace millrace::test_support {

// Asked before a call and, of a write, after it was done, when only the reply can be lost.
using Failure = std::function<Status()>;

inline Status ask(const Failure& failure) { return failure ? failure() : Status(); }

class MemoryCheckpoints final : public detail::CheckpointStore {
 public:
  using Name = detail::CheckpointName;
  using File = detail::StoredFile;

  Result<File> put_file(const Name&, std::string, const std::filesystem::path&) override {
    return unsupported("files");
  }
  Result<File> put(const Name& checkpoint, std::string name, std::string_view bytes) override {
    if (Status failed = ask(fail_put); !failed) return failed.error();
    if (on_put) on_put(name);
    std::lock_guard lock(mutex_);
    File file{.name = std::move(name),
              .path = concat(to_string(checkpoint), "/", ++number_),
              .bytes = bytes.size()};
    files[file.path] = bytes;
    return file;
  }
  Status fetch_file(const File&, const std::filesystem::path&) override {
    return unsupported("files");
  }
  Result<std::string> fetch(const File& file) override {
    std::lock_guard lock(mutex_);
    const auto found = files.find(file.path);
    if (found == files.end()) return not_found(concat("no file ", file.path));
    return found->second;
  }
  Status write_metadata(const Name& checkpoint, std::string_view bytes) override {
    if (Status failed = ask(fail_write_metadata); !failed) return failed;
    std::lock_guard lock(mutex_);
    metadata[checkpoint] = bytes;
    return {};
  }
  Result<std::string> read_metadata(const Name& checkpoint) override {
    if (Status failed = ask(fail_read_metadata); !failed) return failed.error();
    std::lock_guard lock(mutex_);
    const auto found = metadata.find(checkpoint);
    if (found == metadata.end()) return not_found(concat("no ", to_string(checkpoint)));
    return found->second;
  }
  Status remove_unused(const Name& newest, const std::set<Name>& keep,
                       const std::set<std::string>& keep_files) override {
    if (Status failed = ask(fail_remove); !failed) return failed;
    std::lock_guard lock(mutex_);
    std::erase_if(metadata, [&](const auto& entry) {
      return entry.first <= newest && !keep.contains(entry.first);
    });
    std::erase_if(files, [&](const auto& entry) {
      const bool later = entry.first.starts_with(concat("chk-", newest.id.value() + 1));
      return !later && !keep_files.contains(entry.first);
    });
    return {};
  }

  // While others use it too.
  bool has_metadata() {
    std::lock_guard lock(mutex_);
    return !metadata.empty();
  }

  std::function<void(std::string_view name)> on_put;
  Failure fail_put;
  Failure fail_write_metadata;
  Failure fail_read_metadata;
  Failure fail_remove;
  std::map<std::string, std::string> files;  // by path
  std::map<Name, std::string> metadata;

 private:
  std::mutex mutex_;
  int number_ = 0;
};

class MemoryMetadata final : public detail::MetadataStore {
 public:
  using Record = detail::JobRecord;

  Result<std::optional<Record>> read(std::string_view) override {
    if (Status failed = ask(fail_read); !failed) return failed.error();
    std::lock_guard lock(mutex_);
    return record;
  }
  Result<Record> write(std::string_view, std::uint64_t version, Record wanted) override {
    if (Status failed = ask(fail_write); !failed) return failed.error();
    {
      std::lock_guard lock(mutex_);
      const bool newest =
          record ? record->version == version && record->epoch <= wanted.epoch : version == 0;
      if (!newest) return cancelled("somebody else was faster");
      wanted.version = version + 1;
      record = wanted;
    }
    if (Status lost = ask(lose_reply); !lost) return lost.error();
    return wanted;
  }

  Failure fail_read;
  Failure fail_write;
  Failure lose_reply;
  std::optional<Record> record;

 private:
  std::mutex mutex_;
};

}  // namespace millrace::test_support
