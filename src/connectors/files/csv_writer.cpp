#include <array>

#include "millrace/connectors/files/csv.h"
#include "millrace/connectors/files/value_text.h"

namespace millrace::detail {
namespace {

class CsvWriter final : public RowWriter {
 public:
  CsvWriter(const Type& type, const CsvOptions& options)
      : options_(options), type_(type, options_.renames), columns_(csv_columns(type_.type())) {
    for (const char c : {options_.delimiter, options_.quote, '\n', '\r'}) {
      is_special_[static_cast<unsigned char>(c)] = true;
    }
  }

  Status check() const override { return check_csv(type_, options_); }
  std::string_view extension() const override { return ".csv"; }

  void begin_file(std::string& out) const override {
    if (!options_.header) return;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += options_.delimiter;
      append_text(columns_[i].name, out);
    }
    out += '\n';
  }

  Status append(const void* first, std::size_t stride, std::size_t count,
                std::string& out) override {
    const char* record = static_cast<const char*>(first);
    for (std::size_t row = 0; row < count; ++row, record += stride) append_record(record, out);
    return {};
  }

 private:
  void append_record(const char* record, std::string& out) const {
    const std::size_t begin = out.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += options_.delimiter;
      append_column(columns_[i], record + columns_[i].offset, out);
    }
    // Other readers take an empty line for no record.
    if (out.size() == begin && columns_[0].optional == nullptr) out.append(2, options_.quote);
    out += '\n';
  }

  void append_column(const CsvColumn& column, const void* value, std::string& out) const {
    if (column.optional != nullptr) {
      value = column.optional->get(value);
      if (value == nullptr) {
        out += options_.null_text;
        return;
      }
    }
    if (column.type->kind == Kind::kString) {
      const auto& text = *static_cast<const std::string*>(value);
      const bool looks_absent = column.optional != nullptr && text == options_.null_text;
      return looks_absent ? append_quoted(text, out) : append_text(text, out);
    }
    append_value_text(column, value, out);
  }

  // Numbers and names need no quotes, unless a delimiter such as '.' or '-' is one of their own.
  void append_value_text(const CsvColumn& column, const void* value, std::string& out) const {
    const std::size_t begin = out.size();
    append_value(*column.type, value, out);
    const std::string_view text = std::string_view(out).substr(begin);
    if (!needs_quotes(text) && !(column.optional != nullptr && text == options_.null_text)) return;
    const std::string copy(text);
    out.resize(begin);
    append_quoted(copy, out);
  }

  bool needs_quotes(std::string_view text) const {
    for (const char c : text) {
      if (is_special_[static_cast<unsigned char>(c)]) return true;
    }
    return false;
  }

  void append_text(std::string_view text, std::string& out) const {
    if (needs_quotes(text)) return append_quoted(text, out);
    out += text;
  }

  void append_quoted(std::string_view text, std::string& out) const {
    out += options_.quote;
    for (const char c : text) {
      if (c == options_.quote) out += c;
      out += c;
    }
    out += options_.quote;
  }

  const CsvOptions options_;
  const RenamedType type_;
  const std::vector<CsvColumn> columns_;
  std::array<bool, 256> is_special_{};
};

}  // namespace

std::unique_ptr<RowWriter> make_csv_writer(const Type& type, const CsvOptions& options) {
  return std::make_unique<CsvWriter>(type, options);
}

}  // namespace millrace::detail
