#include "millrace/state/savepoint/row_blocks.h"

#include <cstring>
#include <utility>

#include "millrace/core/checksum.h"
#include "millrace/core/text.h"
#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

// magic | version, then blocks: rows | bytes of rows | rows | checksum of all that is before it
constexpr std::string_view kMagic = "MILLRROW";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kBlockHeader = 8;
constexpr std::size_t kChecksum = 16;
constexpr std::size_t kPlaceBytes = 6;  // a key begins with its state and half of its hash

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// Takes a text with its length before it off the front; false if it is not all there.
bool take_text(std::string_view& bytes, std::string_view& text) {
  if (bytes.size() < 4) return false;
  const auto size = integer_at<std::uint32_t>(bytes, 0);
  bytes.remove_prefix(4);
  if (bytes.size() < size) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

RowBlockWriter::RowBlockWriter(std::uint32_t max_parallelism) : max_parallelism_(max_parallelism) {}

// State and key group, as one number.
std::uint64_t RowBlockWriter::place_of(std::string_view key) const {
  check(key.size() >= kPlaceBytes, "a row of state has no hash in its key");
  const std::uint64_t group = (big_endian(key.substr(2, 4)) * max_parallelism_) >> 32;
  return big_endian(key.substr(0, 2)) << 32 | group;
}

bool RowBlockWriter::ends_block_before(std::string_view key) const {
  if (block_ == 0) return false;
  return bytes_.size() - block_ - kBlockHeader >= kBlockBytes ||
         place_of(key) != place_of(rows_.last_key);
}

bool RowBlockWriter::ends_file_before(std::string_view key) const {
  return bytes_.size() >= kRowsFileBytes && ends_block_before(key);
}

void RowBlockWriter::add(std::string_view key, std::string_view value) {
  check(empty() || key > rows_.last_key, "the keys of a savepoint's rows do not ascend");
  if (ends_block_before(key)) end_block();
  if (bytes_.empty()) {
    bytes_ = kMagic;
    append_integer(bytes_, kVersion);
    rows_.first_key = key;
  }
  if (block_ == 0) {
    block_ = bytes_.size();
    bytes_.append(kBlockHeader, '\0');
  }
  append_integer(bytes_, static_cast<std::uint32_t>(key.size()));
  bytes_ += key;
  append_integer(bytes_, static_cast<std::uint32_t>(value.size()));
  bytes_ += value;
  rows_.last_key = key;
  ++rows_.rows;
  ++block_rows_;
}

void RowBlockWriter::end_block() {
  const auto size = static_cast<std::uint32_t>(bytes_.size() - block_ - kBlockHeader);
  std::memcpy(bytes_.data() + block_, &block_rows_, sizeof block_rows_);
  std::memcpy(bytes_.data() + block_ + sizeof block_rows_, &size, sizeof size);
  const Checksum checksum = checksum_of(std::string_view(bytes_).substr(block_));
  append_integer(bytes_, checksum.low);
  append_integer(bytes_, checksum.high);
  block_ = 0;
  block_rows_ = 0;
}

RowBlockWriter::File RowBlockWriter::take() {
  if (block_ != 0) end_block();
  return {std::exchange(bytes_, {}), std::exchange(rows_, {})};
}

RowBlockReader::RowBlockReader(std::string_view bytes, std::string file)
    : bytes_(bytes), file_(std::move(file)), rest_(bytes) {}

Error RowBlockReader::damaged(std::size_t from, std::size_t to, std::string_view how) const {
  return corruption(concat("'", file_, "', bytes ", from, " to ", to, ": ", how,
                           "; restore another savepoint, or this file from a backup"));
}

Status RowBlockReader::begin() {
  begun_ = true;
  if (bytes_.size() < kHeader || !bytes_.starts_with(kMagic)) {
    return damaged(0, kMagic.size() - 1, "these are no rows of a savepoint");
  }
  const auto version = integer_at<std::uint32_t>(bytes_, kMagic.size());
  if (version != kVersion) {
    return unsupported(concat("'", file_, "', bytes 8 to 11: the rows are of version ", version,
                              " of their format, this Millrace reads version ", kVersion,
                              "; use the Millrace that wrote them"));
  }
  rest_.remove_prefix(kHeader);
  return {};
}

Status RowBlockReader::begin_block() {
  const std::size_t from = at();
  const std::string_view whole = rest_;
  if (whole.size() < kBlockHeader + kChecksum) {
    return damaged(from, bytes_.size() - 1, "the file ends within a block");
  }
  const std::size_t size = integer_at<std::uint32_t>(whole, 4);
  if (whole.size() - kBlockHeader - kChecksum < size) {
    return damaged(from, bytes_.size() - 1, "the file ends within a block");
  }
  const std::size_t end = kBlockHeader + size;
  const Checksum written{.high = integer_at<std::uint64_t>(whole, end + 8),
                         .low = integer_at<std::uint64_t>(whole, end)};
  if (checksum_of(whole.substr(0, end)) != written) {
    return damaged(from, from + end + kChecksum - 1, "this block differs from what was written");
  }
  rows_left_ = integer_at<std::uint32_t>(whole, 0);
  block_ = whole.substr(kBlockHeader, size);
  rest_.remove_prefix(end + kChecksum);
  return {};
}

Status RowBlockReader::read_row() {
  const std::string_view last = key_;
  const bool whole = take_text(block_, key_) && take_text(block_, value_);
  --rows_left_;
  const bool well = whole && key_.size() >= kPlaceBytes && last < key_;
  if (well && block_.empty() == (rows_left_ == 0)) return {};
  return damaged(at() - kChecksum - block_.size(), at() - 1, "this is no row where one must be");
}

Result<bool> RowBlockReader::next() {
  if (!begun_) {
    if (Status begun = begin(); !begun) return begun.error();
  }
  while (rows_left_ == 0) {
    if (rest_.empty()) return false;
    if (Status read = begin_block(); !read) return read.error();
    if (rows_left_ == 0) return damaged(0, at() - 1, "a block holds no rows");
  }
  if (Status read = read_row(); !read) return read.error();
  return true;
}

Status check_blocks(std::string_view bytes, std::string_view file) {
  RowBlockReader reader(bytes, std::string(file));
  for (;;) {
    Result<bool> more = reader.next();
    if (!more) return more.error();
    if (!*more) return {};
  }
}

}  // namespace millrace::detail
