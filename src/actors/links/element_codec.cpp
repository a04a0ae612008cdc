#include "millrace/actors/links/element_codec.h"

#include <cstring>

#include "millrace/actors/batch_pool.h"
#include "millrace/actors/links/barrier_codec.h"
#include "millrace/actors/links/frame.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using ElementKind = Element::Kind;

Status append_batch(const AnyBatch& batch, const ChannelRecords& records, std::string& out) {
  static_assert(sizeof(Timestamp) == sizeof(std::int64_t), "timestamps are copied as they lie");
  if (records.type == nullptr) return unsupported("records without binary form were to be sent");
  const std::span<const Timestamp> timestamps = batch.timestamps();
  append_integer(out, static_cast<std::uint32_t>(timestamps.size()));
  out.append(reinterpret_cast<const char*>(timestamps.data()), timestamps.size_bytes());
  return encode_records(*records.type, batch, out);
}

Result<BatchPtr> decode_batch(ByteReader& reader, const ChannelRecords& records) {
  if (records.type == nullptr) return unsupported("records without binary form were received");
  const auto stamps = reader.take<std::uint32_t>();
  const std::string_view timestamps = reader.take_bytes(stamps * sizeof(Timestamp));
  if (!reader.well()) return corruption("an element ends within its timestamps");
  BatchPtr batch = BatchPool::of_this_thread().take(*records.prototype);
  if (Status decoded = decode_records(*records.type, reader.rest(), *batch); !decoded) {
    return decoded.error();
  }
  if (stamps == 0) return batch;
  if (stamps != batch->size()) {
    return corruption(concat(stamps, " timestamps of ", batch->size(), " records"));
  }
  std::memcpy(batch->stamps().data(), timestamps.data(), timestamps.size());
  return batch;
}

Result<Element> decode_batch_element(ByteReader& reader, Element element,
                                     const ChannelRecords& records) {
  Result<BatchPtr> batch = decode_batch(reader, records);
  if (!batch) return batch.error();
  element.batch = *std::move(batch);
  return element;
}

}  // namespace

Status append_data_frame(const ChannelHeader& header, const Element& element,
                         const ChannelRecords& records, std::string& out) {
  FrameWriter writer(FrameKind::kData, out);
  append(header, out);
  out += static_cast<char>(element.kind);
  out += static_cast<char>(element.idle);
  switch (element.kind) {
    case ElementKind::kBatch: {
      append_time(out, element.watermark);
      Status appended = append_batch(*element.batch, records, out);
      if (!appended) return appended.error().with_context("sending records");
      break;
    }
    case ElementKind::kWatermark:
      append_time(out, element.watermark);
      break;
    case ElementKind::kBarrier:
      append_barrier(element.barrier, out);
      break;
    case ElementKind::kEnd:
      break;
  }
  return writer.finish();
}

Result<Element> decode_element(std::string_view bytes, const ChannelRecords& records) {
  ByteReader reader(bytes);
  const auto kind = reader.take<std::uint8_t>();
  const auto idle = reader.take<std::uint8_t>();
  if (!reader.well()) return corruption("an element ends before it begins");
  if (kind > static_cast<std::uint8_t>(ElementKind::kEnd)) {
    return corruption(concat("an element is of kind ", kind, ", which is not known"));
  }
  if (idle > 1) return corruption("an element is neither idle nor not");
  Element element{.kind = static_cast<ElementKind>(kind), .idle = idle == 1};
  if (element.kind == ElementKind::kBatch || element.kind == ElementKind::kWatermark) {
    element.watermark = take_time(reader);
  } else if (element.kind == ElementKind::kBarrier) {
    Result<Barrier> barrier = take_barrier(reader);
    if (!barrier) return barrier.error();
    element.barrier = *std::move(barrier);
  }
  if (element.kind == ElementKind::kBatch) {
    return decode_batch_element(reader, std::move(element), records);
  }
  if (!reader.ended()) return corruption("an element of the wrong size");
  return element;
}

}  // namespace millrace::detail
