#include "core/kitchen_sink.h"

namespace millrace {
namespace {

KitchenSink kitchen_sink(std::int64_t i) {
  const std::string name = "n" + std::to_string(i);
  const Payment payment{name, -i, Timestamp(Duration(i))};
  KitchenSink sink;
  sink.flag = i % 2 == 1;
  sink.tiny = static_cast<std::int8_t>(-i);
  sink.small = static_cast<std::int16_t>(i * 1'000);
  sink.medium = static_cast<std::int32_t>(-i * 100'000);
  sink.byte = static_cast<std::uint8_t>(i * 10);
  sink.port = static_cast<std::uint16_t>(i * 2'000);
  sink.address = static_cast<std::uint32_t>(i) << 27;
  sink.large = ~static_cast<std::uint64_t>(i);
  sink.single_precision = static_cast<float>(i) / 4;
  sink.double_precision = static_cast<double>(i) / 3;
  sink.text = std::string(static_cast<std::size_t>(i) * 20, 'x') + "\"\\\n\x01 \xc3\xa9";
  sink.at = Timestamp(Duration(1'795'190'400'000 + i));
  sink.delay = std::chrono::milliseconds(i);
  sink.hours = std::chrono::hours(-i);
  sink.color = i % 2 == 0 ? Color::kGreen : static_cast<Color>(-7);
  if (i % 3 == 0) sink.maybe_text = name;
  if (i % 3 == 1) sink.maybe_maybe.emplace();
  if (i % 3 == 2) sink.maybe_maybe.emplace(7);
  for (std::int64_t n = 0; n < i % 4; ++n) {
    sink.numbers.push_back(n - i);
    sink.words.emplace_back(static_cast<std::size_t>(n), name);
    sink.payments.push_back(payment);
    sink.by_name[name + std::to_string(n)] = n;
    sink.by_number[static_cast<std::int32_t>(n)] = payment;
    sink.nothings.emplace_back();
  }
  sink.coordinates = {0.1, -2e300, static_cast<double>(i)};
  sink.ends = {name, ""};
  if (i % 3 == 0) sink.either = name;
  if (i % 3 == 1) sink.either = payment;
  sink.pair = {static_cast<std::int32_t>(i), name};
  sink.triple = {true, 0.5, {1, -2, 3}};
  sink.nested = payment;
  return sink;
}

}  // namespace

std::vector<KitchenSink> kitchen_sinks(std::size_t count) {
  std::vector<KitchenSink> sinks;
  for (std::size_t i = 0; i < count; ++i) sinks.push_back(kitchen_sink(static_cast<int>(i)));
  return sinks;
}

}  // namespace millrace
