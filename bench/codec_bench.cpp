// What a record costs to encode and to decode, as columns and as JSON, in nanoseconds. codec_bench
#include <chrono>
#include <cstdio>
#include <optional>

#include "millrace/core/codec/codec.h"
#include "millrace/core/json/json.h"

namespace millrace {
namespace {

constexpr std::size_t kRecords = 1'024;  // a full batch
constexpr int kRounds = 2'000;

struct Reading {
  std::int64_t sensor;
  std::int64_t sequence;
  double value;
  Timestamp at;
};

struct Count {
  std::string word;
  std::int64_t count;
};

struct Order {
  std::int64_t id;
  std::string shop;
  std::optional<std::string> note;
  std::vector<std::int32_t> articles;
  double amount;
};

double nanoseconds_per_record(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) work();
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / kRounds / kRecords;
}

template <class T>
bool measure_json(const std::vector<T>& values, std::vector<T>& decoded) {
  std::vector<std::string> lines(values.size());
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) detail::append_json(lines[i], values[i]);
  const double printing = nanoseconds_per_record([&] {
    text.clear();
    for (const T& value : values) detail::append_json(text, value);
  });
  detail::JsonReader reader;
  bool well = true;
  const double reading = nanoseconds_per_record([&] {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      well &= reader.read(lines[i], decoded[i]).has_value();
    }
  });
  std::printf("  JSON: print %5.1f, read %5.1f, %5.1f bytes", printing, reading,
              static_cast<double>(text.size()) / kRecords);
  return well;
}

template <class T>
void measure(const char* name, const std::vector<T>& values) {
  std::string bytes;
  std::vector<T> decoded(values.size());
  bool well = true;
  const double encoding = nanoseconds_per_record([&] {
    bytes.clear();
    well &= detail::encode(type_of<T>(), detail::Rows::of(std::span(values)), bytes).has_value();
  });
  const double decoding = nanoseconds_per_record([&] {
    std::string_view in = bytes;
    const auto rows = detail::MutableRows::of(std::span(decoded));
    well &= detail::decode(type_of<T>(), in, rows).has_value();
  });
  std::printf("%-42s columns: encode %5.1f, decode %5.1f, %5.1f bytes", name, encoding, decoding,
              static_cast<double>(bytes.size()) / kRecords);
  well &= measure_json(values, decoded);
  std::printf("%s\n", well ? "" : "  FAILED");
}

void measure_all() {
  std::vector<Reading> readings;
  std::vector<Count> counts;
  std::vector<Order> orders;
  for (std::size_t n = 0; n < kRecords; ++n) {
    const auto i = static_cast<std::int64_t>(n);
    readings.push_back({i, i * 3, 0.5, Timestamp(Duration(i))});
    counts.push_back({std::string(36, static_cast<char>('a' + i % 26)), i});
    std::optional<std::string> note;
    if (i % 4 == 0) note = "leave it at the door";
    orders.push_back({i, "basel", note, std::vector<std::int32_t>(n % 5, 7), 9.5});
  }
  measure("{int64, int64, double, Timestamp}", readings);
  measure("{string of 36, int64}", counts);
  measure("{int64, string, string?, [int32], double}", orders);
}

}  // namespace
}  // namespace millrace

int main() { millrace::measure_all(); }
