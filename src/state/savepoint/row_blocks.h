// Rows of keyed state in a file of a savepoint: in the order of their keys, in blocks that each
// have a checksum (docs/FORMATS.md, "Savepoints"). A block holds rows of one state and one key
// group. Where it ends depends on them alone, so the blocks of a key group are the same bytes,
// whoever wrote them.
//
// A file is written and read as a whole, and never much larger than kRowsFileBytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

inline constexpr std::size_t kBlockBytes = std::size_t{64} << 10;
inline constexpr std::size_t kRowsFileBytes = std::size_t{8} << 20;

class RowBlockWriter {
 public:
  // The number of key groups decides where blocks end.
  explicit RowBlockWriter(std::uint32_t max_parallelism);

  // Keys ascend. True if the row begins another block, and the blocks before it make a file: then
  // take() it first, and add the row again.
  bool ends_file_before(std::string_view key) const;
  void add(std::string_view key, std::string_view value);

  bool empty() const { return rows_.rows == 0; }

  // What was added since the last time; `rows` says all of it but where it lies.
  struct File {
    std::string bytes;
    RowsFile rows;
  };
  File take();

 private:
  std::uint64_t place_of(std::string_view key) const;
  bool ends_block_before(std::string_view key) const;
  void end_block();

  const std::uint32_t max_parallelism_;
  std::string bytes_;
  RowsFile rows_;
  std::size_t block_ = 0;  // where the current one begins; 0: there is none
  std::uint32_t block_rows_ = 0;
};

// Walks over the rows of a file. Trusts nothing: what is no sequence of whole blocks with ascending
// keys is kCorruption, which names the file and the bytes.
class RowBlockReader {
 public:
  RowBlockReader(std::string_view bytes, std::string file);

  // Moves to the next row, the first one at first; false at the end.
  Result<bool> next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  Status begin();
  Status begin_block();
  Status read_row();
  Error damaged(std::size_t from, std::size_t to, std::string_view how) const;
  std::size_t at() const { return bytes_.size() - rest_.size(); }

  const std::string_view bytes_;
  const std::string file_;
  std::string_view rest_;   // of the file, behind the current block's rows
  std::string_view block_;  // what is left of its rows
  std::uint32_t rows_left_ = 0;
  bool begun_ = false;
  std::string_view key_;
  std::string_view value_;
};

// Whether all of it can be walked over.
Status check_blocks(std::string_view bytes, std::string_view file);

}  // namespace millrace::detail
