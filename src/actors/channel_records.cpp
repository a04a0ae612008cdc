#include "millrace/actors/channel_records.h"

#include "millrace/core/codec/codec.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

// Some records take a bit each, so a short block could ask for very many.
constexpr std::size_t kMostRecordBytes = 256 * 1'024 * 1'024;

}  // namespace

Status encode_records(const Type& type, const AnyBatch& batch, std::string& out) {
  return encode_rows(type, Rows(batch.data(), batch.record_bytes(), batch.size()), out);
}

Status decode_records(const Type& type, std::string_view block, AnyBatch& batch) {
  check(batch.empty(), "records were decoded into a batch that has some");
  Result<std::size_t> count = decode_row_count(type, block);
  if (!count) return count.error();
  if (*count > kMostRecordBytes / batch.record_bytes()) {
    return corruption(concat("a batch of ", *count, " records of ", batch.record_bytes(),
                             " bytes: none is that large"));
  }
  const MutableRows rows(batch.add_rows(*count), batch.record_bytes(), *count);
  Status decoded = decode_all(type, block, rows);
  if (decoded) batch.account_for(*count);
  return decoded;
}

}  // namespace millrace::detail
