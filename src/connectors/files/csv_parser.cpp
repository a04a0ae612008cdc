#include "millrace/connectors/files/csv_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool contains(std::string_view text, char c) {
  return std::memchr(text.data(), c, text.size()) != nullptr;
}

std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::string unclosed(const CsvSyntax& syntax) {
  if (syntax.newlines_in_quotes) return "the quoted field is not closed";
  return "the quoted field is not closed within its line; a file whose fields hold newlines cannot "
         "be read with .splittable()";
}

}  // namespace

// Most lines hold no quote: they are cut at their delimiters, and nothing else is looked at.
CsvStep CsvParser::parse(std::string_view bytes, bool all) {
  if (bytes.empty()) return all ? CsvStep::kEnd : CsvStep::kMore;
  fields_.clear();
  const void* newline = std::memchr(bytes.data(), '\n', bytes.size());
  if (newline == nullptr && !all) return CsvStep::kMore;
  const std::size_t length =
      newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data())
              : bytes.size();
  const std::string_view line = bytes.substr(0, length);
  if (contains(line, syntax_.quote)) {
    return syntax_.newlines_in_quotes ? parse_quoted(bytes, all)
                                      : parse_quoted(bytes.substr(0, length + 1), true);
  }
  text_ = without_return(line);
  used_ = std::min(length + 1, bytes.size());
  lines_ = 1;
  split(text_);
  return CsvStep::kRecord;
}

void CsvParser::split(std::string_view line) {
  const char* begin = line.data();
  const char* const end = begin + line.size();
  while (true) {
    const void* found =
        begin == end ? nullptr
                     : std::memchr(begin, syntax_.delimiter, static_cast<std::size_t>(end - begin));
    const char* stop = found ? static_cast<const char*>(found) : end;
    fields_.push_back({.text = {begin, static_cast<std::size_t>(stop - begin)},
                       .offset = static_cast<std::size_t>(begin - line.data())});
    if (!found) return;
    begin = stop + 1;
  }
}

CsvStep CsvParser::parse_quoted(std::string_view bytes, bool all) {
  std::size_t at = 0;
  while (true) {
    const CsvStep step = take_field(bytes, all, at);
    if (step != CsvStep::kRecord) return step;
    if (at < bytes.size() && bytes[at] == syntax_.delimiter) {
      ++at;
      continue;
    }
    const std::size_t end = at;
    if (at < bytes.size() && bytes[at] == '\r') ++at;
    end_record(bytes, end, std::min(at + 1, bytes.size()));
    return CsvStep::kRecord;
  }
}

// Takes one field, and leaves `at` at the delimiter, the line end or the end behind it.
CsvStep CsvParser::take_field(std::string_view bytes, bool all, std::size_t& at) {
  const bool quoted = at < bytes.size() && bytes[at] == syntax_.quote;
  const CsvStep step = quoted ? take_quoted(bytes, all, at) : take_plain(bytes, all, at);
  if (step != CsvStep::kRecord) return step;
  if (at == bytes.size() || bytes[at] == syntax_.delimiter || bytes[at] == '\n') return step;
  if (bytes.substr(at, 2) == "\r\n" || (bytes[at] == '\r' && all && at + 1 == bytes.size())) {
    return step;
  }
  if (bytes[at] == '\r' && at + 1 == bytes.size()) return CsvStep::kMore;
  return bad(bytes, "text follows the closing quote; double a quote that is part of the field", at);
}

CsvStep CsvParser::take_quoted(std::string_view bytes, bool all, std::size_t& at) {
  const std::size_t begin = at + 1;
  bool doubled = false;
  for (std::size_t from = begin;;) {
    const std::size_t found = bytes.find(syntax_.quote, from);
    if (found == kNone || (found + 1 == bytes.size() && !all)) {
      return all ? bad(bytes, unclosed(syntax_), at) : CsvStep::kMore;
    }
    if (found + 1 < bytes.size() && bytes[found + 1] == syntax_.quote) {
      doubled = true;
      from = found + 2;
      continue;
    }
    fields_.push_back({.text = bytes.substr(begin, found - begin),
                       .offset = at,
                       .quoted = true,
                       .doubled = doubled});
    at = found + 1;
    return at == bytes.size() && !all ? CsvStep::kMore : CsvStep::kRecord;
  }
}

CsvStep CsvParser::take_plain(std::string_view bytes, bool all, std::size_t& at) {
  const std::size_t begin = at;
  for (; at < bytes.size() && bytes[at] != syntax_.delimiter && bytes[at] != '\n'; ++at) {
    if (bytes[at] == syntax_.quote) {
      return bad(
          bytes,
          "a quote stands within an unquoted field; put the whole field in quotes and double "
          "the quote",
          begin);
    }
  }
  if (at == bytes.size() && !all) return CsvStep::kMore;
  const bool line_end = at == bytes.size() || bytes[at] == '\n';
  if (line_end && at > begin && bytes[at - 1] == '\r') --at;
  fields_.push_back({.text = bytes.substr(begin, at - begin), .offset = begin});
  return CsvStep::kRecord;
}

void CsvParser::end_record(std::string_view bytes, std::size_t end, std::size_t used) {
  text_ = bytes.substr(0, end);
  used_ = used;
  lines_ = 1 + static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
}

CsvStep CsvParser::give_up(std::string_view bytes, std::string error) {
  return bad(bytes, std::move(error), 0);
}

CsvStep CsvParser::bad(std::string_view bytes, std::string error, std::size_t offset) {
  const std::size_t newline = bytes.find('\n');
  text_ = without_return(bytes.substr(0, newline));
  used_ = newline == kNone ? bytes.size() : newline + 1;
  lines_ = 1;
  error_ = std::move(error);
  error_offset_ = std::min(offset, text_.size());
  return CsvStep::kBad;
}

std::string_view CsvParser::unescaped(const CsvField& field, std::string& buffer) const {
  if (!field.doubled) return field.text;
  buffer.clear();
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    buffer += field.text[i];
    if (field.text[i] == syntax_.quote) ++i;
  }
  return buffer;
}

}  // namespace millrace::detail
