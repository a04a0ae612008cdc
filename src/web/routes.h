// Finds which route a request means. A path is words between slashes; {name} stands for any word.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::detail {

// The words that stand for the pattern's names, in their order; nothing if the path is another one.
std::optional<std::vector<std::string>> match_path(std::string_view pattern, std::string_view path);

}  // namespace millrace::detail
