// Records as text, so that every type compares and prints the same way: a record as JSON, and then
// " @milliseconds" if it has a timestamp.
#pragma once

#include <string>
#include <vector>

#include "millrace/core/json/json.h"
#include "millrace/core/records/batch.h"
#include "millrace/core/records/record.h"

namespace millrace::detail {

using Lines = std::vector<std::string>;

// The event time of a test: milliseconds since 1970.
constexpr Timestamp at(std::int64_t milliseconds) { return Timestamp(Duration(milliseconds)); }

template <class T>
struct Stamped {
  T value;
  Timestamp timestamp;
};

template <class T>
std::string line_of(const T& value) {
  std::string line;
  append_json(line, value);
  return line;
}

template <class T>
std::string line_of(const Stamped<T>& record) {
  return line_of(record.value) + " @" + std::to_string(record.timestamp.time_since_epoch().count());
}

template <class T>
Lines lines_of(const std::vector<T>& records) {
  Lines lines;
  for (const T& record : records) lines.push_back(line_of(record));
  return lines;
}

template <class T>
Lines lines_of(const AnyBatch& any) {
  const auto& batch = static_cast<const Batch<T>&>(any);
  Lines lines;
  for (std::size_t row = 0; row < batch.size(); ++row) {
    std::string line = line_of(batch.values()[row]);
    if (batch.stamped()) {
      line += " @" + std::to_string(batch.timestamp(row).time_since_epoch().count());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

template <class T>
BatchPtr batch_of(std::vector<T> values) {
  BatchPtr batch = make_batch<T>();
  for (T& value : values) static_cast<Batch<T>&>(*batch).push(std::move(value));
  return batch;
}

template <class T>
BatchPtr stamped_batch_of(std::vector<Stamped<T>> records) {
  BatchPtr batch = make_batch<T>();
  for (Stamped<T>& record : records) {
    static_cast<Batch<T>&>(*batch).push(std::move(record.value), record.timestamp);
  }
  return batch;
}

}  // namespace millrace::detail
