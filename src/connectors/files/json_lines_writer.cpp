#include "millrace/connectors/files/json_lines.h"
#include "millrace/core/json/json.h"

namespace millrace::detail {
namespace {

// Names of fields are written as they are, and those of renames may be any text.
std::vector<Rename> escaped(std::vector<Rename> renames) {
  for (Rename& rename : renames) {
    std::string text;
    append_json(text, rename.external);
    rename.external = text.substr(1, text.size() - 2);  // without its quotes
  }
  return renames;
}

class JsonLinesWriter final : public RowWriter {
 public:
  JsonLinesWriter(const Type& type, const JsonOptions& options)
      : type_(type, escaped(options.renames)) {}

  Status check() const override { return type_.check(); }
  std::string_view extension() const override { return ".jsonl"; }
  void begin_file(std::string&) const override {}

  Status append(const void* first, std::size_t stride, std::size_t count,
                std::string& out) override {
    append_json_lines(out, type_.type(), Rows(first, stride, count));
    return {};
  }

 private:
  const RenamedType type_;
};

}  // namespace

std::unique_ptr<RowWriter> make_json_lines_writer(const Type& type, const JsonOptions& options) {
  return std::make_unique<JsonLinesWriter>(type, options);
}

}  // namespace millrace::detail
