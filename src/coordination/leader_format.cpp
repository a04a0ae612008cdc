#include "millrace/coordination/leader_format.h"

#include "millrace/state/sealed_record.h"

namespace millrace::detail {
namespace {

constexpr SealedFormat kFormat{.magic = "MILLRLDR", .version = 1, .what = "leader record"};

}  // namespace

Result<std::string> encode_leader(const LeaderRecord& leader) { return seal(kFormat, leader); }

Result<LeaderRecord> decode_leader(std::string_view bytes, std::string_view where) {
  return unseal<LeaderRecord>(kFormat, bytes, where);
}

}  // namespace millrace::detail
