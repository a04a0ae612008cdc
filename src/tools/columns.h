// A table as text: columns as wide as what is in them, two spaces between.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace millrace::detail {

class Columns {
 public:
  using Row = std::vector<std::string>;

  explicit Columns(Row heading) : rows_{std::move(heading)} {}

  void add(Row row) { rows_.push_back(std::move(row)); }  // as wide as the heading
  void print(std::ostream& out) const;

 private:
  std::vector<Row> rows_;
};

}  // namespace millrace::detail
