#include "millrace/connectors/files/file_list.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool is_hidden(std::string_view name) {
  return !name.empty() && (name.front() == '.' || name.front() == '_');
}

bool matches(const std::string& pattern, const std::string& name) {
  if (is_hidden(name) && pattern.front() != name.front()) return false;
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

Error cannot(std::string_view what, const fs::path& path, const std::error_code& error) {
  return unavailable(concat("cannot ", what, " ", in_quotes(path.native()), ": ", error.message(),
                            "; check the path and its permissions"));
}

class Listing {
 public:
  // All files below the directory that are not hidden.
  Status add_directory(const fs::path& directory) {
    return each_entry(directory, [&](const fs::directory_entry& entry) -> Status {
      if (is_hidden(entry.path().filename().native())) return {};
      return add(entry, !entry.is_symlink());
    });
  }

  // What the parts of the pattern from `next` on match below the directory.
  Status add_matches(const fs::path& directory, const std::vector<std::string>& parts,
                     std::size_t next) {
    if (parts[next] == "**") return add_below(directory, parts, next);
    if (!is_glob(parts[next])) return add_literal(directory / parts[next], parts, next);
    return each_entry(directory, [&](const fs::directory_entry& entry) -> Status {
      if (!matches(parts[next], entry.path().filename().native())) return {};
      return add_literal(entry.path(), parts, next);
    });
  }

  std::vector<std::string> take() {
    std::sort(files_.begin(), files_.end());
    files_.erase(std::unique(files_.begin(), files_.end()), files_.end());
    return std::move(files_);
  }

 private:
  template <class Use>
  Status each_entry(const fs::path& directory, Use use) {
    std::error_code error;
    fs::directory_iterator entries(directory.empty() ? "." : directory, error);
    if (error) return cannot("list the directory", directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      Status status =
          use(directory.empty() ? fs::directory_entry(entries->path().filename()) : *entries);
      if (!status) return status;
    }
    return error ? Status(cannot("list the directory", directory, error)) : Status();
  }

  Status add(const fs::directory_entry& entry, bool descend) {
    std::error_code ignored;  // what vanished meanwhile is no file
    if (entry.is_regular_file(ignored)) files_.push_back(entry.path().native());
    return descend && entry.is_directory(ignored) ? add_directory(entry.path()) : Status();
  }

  // The path matched the pattern's part `next`.
  Status add_literal(const fs::path& path, const std::vector<std::string>& parts,
                     std::size_t next) {
    std::error_code error;
    const fs::directory_entry entry(path, error);
    if (error || !entry.exists(error)) return {};
    if (next + 1 == parts.size()) return add(entry, true);
    return entry.is_directory(error) ? add_matches(path, parts, next + 1) : Status();
  }

  // `**` stands for no directory, or for any at any depth.
  Status add_below(const fs::path& directory, const std::vector<std::string>& parts,
                   std::size_t next) {
    if (next + 1 == parts.size()) return add_directory(directory);
    Status here = add_matches(directory, parts, next + 1);
    if (!here) return here;
    return each_entry(directory, [&](const fs::directory_entry& entry) -> Status {
      std::error_code ignored;
      const bool descend = entry.is_directory(ignored) && !entry.is_symlink(ignored) &&
                           !is_hidden(entry.path().filename().native());
      return descend ? add_below(entry.path(), parts, next) : Status();
    });
  }

  std::vector<std::string> files_;
};

std::vector<std::string> parts_of(std::string_view pattern) {
  std::vector<std::string> parts;
  while (!pattern.empty()) {
    const std::size_t slash = pattern.find('/');
    if (slash != 0) parts.emplace_back(pattern.substr(0, slash));
    pattern.remove_prefix(slash == std::string_view::npos ? pattern.size() : slash + 1);
  }
  return parts;
}

Status find_files(const std::string& path, Listing& listing) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return listing.add_directory(path);
  const fs::path root = path.front() == '/' ? "/" : "";
  if (is_glob(path)) return listing.add_matches(root, parts_of(path), 0);
  if (!fs::exists(status) && error && error != std::errc::no_such_file_or_directory) {
    return cannot("read", path, error);
  }
  return not_found(concat("there is no file, directory or glob match for ", in_quotes(path),
                          "; a relative path starts at the directory that the job is started in"));
}

Status check_readable(const std::string& path) {
  if (access(path.c_str(), R_OK) == 0) return {};
  return cannot("read", path, {errno, std::generic_category()});
}

}  // namespace

Result<std::vector<std::string>> list_files(const std::string& path) {
  if (path.empty()) return invalid_argument("the path of the files to read is empty; give one");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  std::vector<std::string> files;
  if (fs::is_regular_file(status)) {
    files.push_back(path);
  } else if (fs::exists(status) && !fs::is_directory(status)) {
    return invalid_argument(concat(in_quotes(path),
                                   " is no regular file; a pipe or device cannot be read again "
                                   "after a failure: copy it to a file first"));
  } else {
    Listing listing;
    Status found = find_files(path, listing);
    if (!found) return found.error();
    files = listing.take();
  }
  if (files.empty()) {
    return not_found(concat(in_quotes(path), fs::is_directory(status) ? " holds" : " matches",
                            " no files; those that begin with . or _ do not count"));
  }
  for (const std::string& file : files) {
    Status readable = check_readable(file);
    if (!readable) return readable.error();
  }
  return files;
}

Result<std::vector<FileSplit>> list_splits(const FileInput& input) {
  Result<std::vector<std::string>> files = list_files(input.path);
  if (!files) return files.error();
  std::vector<FileSplit> splits;
  for (std::string& file : *files) {
    if (!input.splittable) {
      splits.push_back({.path = std::move(file)});
      continue;
    }
    std::error_code error;
    const auto size = static_cast<std::int64_t>(fs::file_size(file, error));
    if (error) return cannot("read", file, error);
    for (std::int64_t begin = 0; begin < size; begin += input.split_bytes) {
      const std::int64_t end =
          size - begin > input.split_bytes ? begin + input.split_bytes : kEndOfFile;
      splits.push_back({.path = file, .begin = begin, .end = end, .position = begin});
    }
  }
  return splits;
}

}  // namespace millrace::detail
