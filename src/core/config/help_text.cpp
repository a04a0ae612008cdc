#include "millrace/core/config/help_text.h"

#include <algorithm>
#include <vector>

#include "millrace/core/text.h"

namespace millrace {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kWidestLeft = 28;  // what is longer gets a line of its own
constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back(word);
    } else {
      lines.back() += concat(' ', word);
    }
  }
  return lines;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

HelpRow row_of(const ParameterDeclaration& declaration) {
  const std::string_view space = declaration.help.empty() ? "" : " ";
  const std::string note = declaration.required()
                               ? "(required)"
                               : concat("(default ", in_quotes(*declaration.default_text), ")");
  return {concat("--", declaration.name, '=', upper(to_string(declaration.kind))),
          concat(declaration.help, space, note)};
}

std::size_t left_width(std::span<const HelpRow> rows) {
  std::size_t width = 0;
  for (const HelpRow& row : rows) {
    if (row.left.size() <= kWidestLeft) width = std::max(width, row.left.size());
  }
  return width;
}

void append_row(std::string& text, const HelpRow& row, std::size_t left) {
  const std::size_t column = kIndent + left + kGap;
  const auto lines = wrap(row.right, kWidth - column);
  std::string line = std::string(kIndent, ' ') + row.left;
  for (const std::string& part : lines) {
    if (line.size() + kGap > column) {
      text += line + '\n';
      line.clear();
    }
    line.resize(column, ' ');
    text += line + part + '\n';
    line.clear();
  }
  if (lines.empty()) text += line + '\n';
}

}  // namespace

std::string help_columns(std::span<const HelpRow> rows) {
  std::string text;
  const std::size_t left = left_width(rows);
  for (const HelpRow& row : rows) append_row(text, row, left);
  return text;
}

std::string help_text(std::string_view program, std::span<const EngineFlag> flags,
                      std::span<const ParameterDeclaration> declared) {
  std::vector<HelpRow> rows;
  for (const ParameterDeclaration& declaration : declared) rows.push_back(row_of(declaration));
  for (const EngineFlag& flag : flags) rows.push_back({to_string(flag), std::string(flag.help)});
  rows.push_back({"-D KEY=VALUE", "Sets a configuration option."});
  rows.push_back({"-h, --help", "Prints this text."});

  const std::size_t left = left_width(rows);
  std::string text = concat("Usage: ", program, " [--name=value]... [-D key=value]...\n");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 && !declared.empty()) text += "\nParameters of this job:\n";
    if (i == declared.size()) text += "\nFlags of Millrace:\n";
    append_row(text, rows[i], left);
  }
  return text;
}

}  // namespace millrace
