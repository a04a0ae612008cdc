#include "millrace/testing/comparison.h"

#include <algorithm>
#include <iterator>

#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kMostLines = 5;

Lines only_in_first(const Lines& first, const Lines& second) {
  Lines only;
  std::ranges::set_difference(first, second, std::back_inserter(only));
  return only;
}

void append_lines(std::string& text, std::string_view what, const Lines& lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) {
    text += concat("\n  ", what, ": ", lines[i]);
  }
  if (lines.size() > kMostLines) {
    text += concat("\n  ", what, ": ... and ", lines.size() - kMostLines, " more");
  }
}

}  // namespace

std::string line_of(const AnyBatch& batch, std::size_t row, const Type& type) {
  std::string line;
  append_json(line, type, Rows(batch.data(), batch.record_bytes(), batch.size())[row]);
  return line;
}

Lines lines_of(const std::vector<BatchPtr>& batches, const Type& type) {
  Lines lines;
  for (const BatchPtr& batch : batches) {
    for (std::size_t row = 0; row < batch->size(); ++row) {
      lines.push_back(line_of(*batch, row, type));
    }
  }
  return lines;
}

std::string difference(Lines expected, Lines shown, bool in_order) {
  if (expected == shown) return {};
  std::string text;
  const auto [before, now] = std::ranges::mismatch(expected, shown);
  if (before != expected.end() && now != shown.end()) {
    text = concat("\n  in another order: ", *now, " stands where ", *before, " did");
  }
  std::ranges::sort(expected);
  std::ranges::sort(shown);
  if (expected == shown) return in_order ? text : std::string();
  text.clear();
  append_lines(text, "missing", only_in_first(expected, shown));
  append_lines(text, "unexpected", only_in_first(shown, expected));
  return text;
}

}  // namespace millrace::detail
