#include "millrace/web/routes.h"

namespace millrace::detail {
namespace {

// Takes the first word off a path that begins with a slash.
std::string_view take_word(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view word = path.substr(0, path.find('/'));
  path.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<std::vector<std::string>> match_path(std::string_view pattern,
                                                   std::string_view path) {
  std::vector<std::string> words;
  while (!pattern.empty()) {
    if (!path.starts_with('/')) return std::nullopt;
    const std::string_view expected = take_word(pattern);
    const std::string_view word = take_word(path);
    if (expected.starts_with('{')) {
      words.emplace_back(word);
    } else if (word != expected) {
      return std::nullopt;
    }
  }
  if (!path.empty()) return std::nullopt;
  return words;
}

}  // namespace millrace::detail
