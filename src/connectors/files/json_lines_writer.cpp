#include "millrace/connectors/files/json_lines.h"
#include "millrace/core/json/json.h"

namespace millrace::detail {
namespace {

class JsonLinesWriter final : public RowWriter {
 public:
  JsonLinesWriter(const Type& type, const JsonOptions& options) : type_(type, options.renames) {}

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
