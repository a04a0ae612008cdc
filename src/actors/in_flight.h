// Records between two tasks that a checkpoint's barrier has overtaken: they are part of the
// snapshot of the task that had them, and its to process or to send again when it goes on. A task
// writes them as one file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/actors/channel_records.h"
#include "millrace/actors/element.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Where an element was: with its receiver, or with its sender, waiting for credit.
struct InFlightPlace {
  bool at_sender = false;
  std::uint32_t exchange = 0;  // as the sender numbers them; 0 at the receiver
  std::uint32_t channel = 0;

  friend bool operator==(const InFlightPlace&, const InFlightPlace&) = default;
};

struct InFlightElement {
  InFlightPlace place;
  Element element;
};

// The elements of one task, each channel's in their order.
class InFlightWriter {
 public:
  // Takes note of a batch, its watermark or both; of other elements nothing is kept.
  Status add(const InFlightPlace& place, const Element& element, const ChannelRecords& records);

  bool empty() const { return rows_.empty(); }
  Result<std::string> encode() const;

  // A plain struct: it is the file's content.
  struct Row {
    InFlightPlace place;
    std::uint64_t edge = 0;
    Timestamp watermark = kMinTimestamp;
    bool idle = false;
    std::vector<Timestamp> timestamps;
    std::string records;  // a block; empty for none
  };

 private:
  std::vector<Row> rows_;
};

// The elements of one task's file. `records_at` says what a channel's records are; null if there is
// no such channel, for the file may be another job's.
using RecordsAt = std::function<const ChannelRecords*(const InFlightPlace&)>;
Result<std::vector<InFlightElement>> read_in_flight(std::string_view bytes,
                                                    const RecordsAt& records_at);

}  // namespace millrace::detail
