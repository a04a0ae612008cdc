#include "millrace/actors/in_flight.h"

#include "millrace/core/codec/codec.h"
#include "millrace/core/records/record.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Row = InFlightWriter::Row;

Error damaged(std::string_view what) {
  return corruption(concat("records in flight: ", what,
                           "; restore with the plan that the checkpoint was taken with"));
}

Result<BatchPtr> decode_batch(const Row& row, const ChannelRecords& records) {
  BatchPtr batch = records.prototype->make_empty();
  Status decoded = decode_records(*records.type, row.records, *batch);
  if (!decoded) return decoded.error();
  if (!row.timestamps.empty() && row.timestamps.size() != batch->size()) {
    return damaged(concat(row.timestamps.size(), " timestamps of ", batch->size(), " records"));
  }
  batch->stamp(row.timestamps);
  return batch;
}

Result<Element> decode_element(const Row& row, const ChannelRecords& records) {
  Element element{.kind = Element::Kind::kWatermark,
                  .watermark = row.watermark,
                  .idle = row.idle,
                  .restored = true};
  if (row.records.empty()) return element;
  Result<BatchPtr> batch = decode_batch(row, records);
  if (!batch) return batch.error();
  element.kind = Element::Kind::kBatch;
  element.batch = *std::move(batch);
  return element;
}

}  // namespace

Status InFlightWriter::add(const InFlightPlace& place, const Element& element,
                           const ChannelRecords& records) {
  if (element.kind != Element::Kind::kBatch && element.kind != Element::Kind::kWatermark) return {};
  Row row{
      .place = place, .edge = records.edge, .watermark = element.watermark, .idle = element.idle};
  if (element.batch) {
    const AnyBatch& batch = *element.batch;
    row.timestamps.assign(batch.timestamps().begin(), batch.timestamps().end());
    Status encoded = encode_records(*records.type, batch, row.records);
    if (!encoded) return encoded.error().with_context("writing records in flight");
  }
  rows_.push_back(std::move(row));
  return {};
}

Result<std::string> InFlightWriter::encode() const {
  std::string bytes;
  Status encoded = encode_rows(type_of<Row>(), Rows::of(std::span(rows_)), bytes);
  if (!encoded) return encoded.error();
  return bytes;
}

Result<std::vector<InFlightElement>> read_in_flight(std::string_view bytes,
                                                    const RecordsAt& records_at) {
  Result<std::vector<Row>> rows = decode_rows<Row>(bytes);
  if (!rows) return rows.error().with_context("records in flight");
  std::vector<InFlightElement> elements;
  for (const Row& row : *rows) {
    const ChannelRecords* const records = records_at(row.place);
    if (records == nullptr || records->type == nullptr || records->edge != row.edge) {
      return damaged(concat("channel ", row.place.channel, " of exchange ", row.place.exchange,
                            " is not what it was"));
    }
    Result<Element> element = decode_element(row, *records);
    if (!element) return element.error();
    elements.push_back({row.place, *std::move(element)});
  }
  return elements;
}

}  // namespace millrace::detail
