// Where in its file a reader is, as people count: lines from 1. A split that begins within the file
// counts its own lines only; those before it are counted when a message first needs them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/connectors/files/bad_record.h"
#include "millrace/connectors/files/file_list.h"

namespace millrace::detail {

class RecordPlace {
 public:
  // `lines` as in the split: how many were read.
  void open(const FileSplit& split, std::int64_t lines);

  void pass(std::size_t lines) { lines_ += static_cast<std::int64_t>(lines); }
  void set_lines(std::int64_t lines) { lines_ = lines; }
  std::int64_t lines() const { return lines_; }

  // The record that is at fault begins at `position`; the fault lies at that offset of its text.
  BadRecord bad_record(std::int64_t position, std::string_view text, std::size_t offset);

 private:
  std::string path_;
  std::int64_t lines_ = 0;
  std::optional<std::int64_t> lines_before_;  // of the split
};

}  // namespace millrace::detail
