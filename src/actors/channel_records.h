// What the records of a channel are, and how they become bytes: in checkpoints where a barrier has
// overtaken them, and on links.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/records/batch.h"
#include "millrace/core/records/type.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Their type, and an empty batch of them. No type: they have no binary form, so that no barrier can
// overtake them, and they cannot leave the process.
struct ChannelRecords {
  const Type* type = nullptr;
  BatchPtr prototype;
  std::uint64_t edge = 0;  // of the plan, as a hash: plans with the same edges may number channels
                           // in another order
};

// Appends the batch's records, without their timestamps, as a block.
Status encode_records(const Type& type, const AnyBatch& batch, std::string& out);

// Reads a block that is all of `block` into an empty batch. It trusts nothing, and makes no more
// records than a batch of that many bytes could reasonably hold.
Status decode_records(const Type& type, std::string_view block, AnyBatch& batch);

}  // namespace millrace::detail
