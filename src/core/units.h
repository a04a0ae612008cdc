// Values as people write them in files, flags and the environment, and as messages print them:
// durations (30s, 500ms, 2min), sizes (64MiB, 10MB, 4096), integers, numbers, booleans, times and
// the words of an enum. What to_text() prints, parse_text() reads back as the same value.
//
// A refusal quotes the text and says what was expected; where it stood is the caller's to add.
// Plain functions without state, for any thread; none of them runs per record.
#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace {

// A size in bytes. KiB, MiB, GiB and TiB count in 1,024s; KB, MB, GB and TB in 1,000s.
class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr explicit Bytes(std::uint64_t count) : count_(count) {}

  constexpr std::uint64_t count() const { return count_; }

  friend constexpr auto operator<=>(Bytes, Bytes) = default;

 private:
  std::uint64_t count_ = 0;
};

// In the largest unit that leaves a whole number: 64MiB, 10MB, 512B.
std::string to_string(Bytes size);
Result<Bytes> parse_bytes(std::string_view text);

Result<bool> parse_boolean(std::string_view text);
Result<std::int64_t> parse_integer(std::string_view text);
Result<double> parse_number(std::string_view text);  // finite

// What a text is read as, for help texts and tables.
enum class ValueKind { kText, kBoolean, kInteger, kNumber, kDuration, kSize, kTime, kWord };
std::string_view to_string(ValueKind kind);
std::string with_article(ValueKind kind);  // "a text", "an integer"

namespace detail {

template <class Period, class... Known>
inline constexpr bool kIsOneOf = (std::is_same_v<typename Period::type, typename Known::type> ||
                                  ...);

template <class D>
inline constexpr bool kIsDuration = false;
template <std::integral Count, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Count, Period>> =
    kIsOneOf<Period, std::nano, std::micro, std::milli, std::ratio<1>, std::ratio<60>,
             std::ratio<3'600>, std::ratio<86'400>>;

template <class D>
inline constexpr std::int64_t kNanosecondsPerTick =
    std::chrono::duration_cast<std::chrono::nanoseconds>(D(1)).count();

Result<std::int64_t> parse_ticks(std::string_view text, std::int64_t nanoseconds_per_tick);
std::string print_ticks(std::int64_t ticks, std::int64_t nanoseconds_per_tick);
Result<std::int64_t> parse_integer_within(std::string_view text, std::int64_t least,
                                          std::int64_t most);
Result<std::size_t> parse_word(std::string_view text, std::span<const std::string_view> words);
std::string print_number(double value);
Error or_automatic(const Error& error);

}  // namespace detail

// In the largest unit that leaves a whole number: 30s, 1500ms, 2min.
template <class Count, class Period>
requires(detail::kIsDuration<std::chrono::duration<Count, Period>>) std::string
    to_string(std::chrono::duration<Count, Period> duration) {
  return detail::print_ticks(duration.count(),
                             detail::kNanosecondsPerTick<std::chrono::duration<Count, Period>>);
}

// A whole number and its unit: ns, us, ms, s, min (or m), h or d. It must be a whole number of D
// as well, so that nothing is rounded in silence.
template <class D = Duration>
Result<D> parse_duration(std::string_view text) {
  const auto ticks = detail::parse_ticks(text, detail::kNanosecondsPerTick<D>);
  if (!ticks) return ticks.error();
  return D(*ticks);
}

// How a T stands in text: its kind, parse() and print(). An enum takes part when a function
// words_of(E) beside it gives the words of its enumerators, which count from 0.
template <class T>
struct TextForm;

template <class T>
concept HasTextForm = requires(const T& value) {
  TextForm<T>::print(value);
};

template <HasTextForm T>
Result<T> parse_text(std::string_view text) {
  return TextForm<T>::parse(text);
}

template <HasTextForm T>
std::string to_text(const T& value) {
  return TextForm<T>::print(value);
}

template <>
struct TextForm<std::string> {
  static constexpr ValueKind kKind = ValueKind::kText;
  static Result<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string print(const std::string& value) { return value; }
};

template <>
struct TextForm<bool> {
  static constexpr ValueKind kKind = ValueKind::kBoolean;
  static Result<bool> parse(std::string_view text) { return parse_boolean(text); }
  static std::string print(bool value) { return value ? "true" : "false"; }
};

template <std::integral I>
struct TextForm<I> {
  static constexpr ValueKind kKind = ValueKind::kInteger;
  static constexpr std::int64_t kMost =
      std::cmp_less(std::numeric_limits<I>::max(), std::numeric_limits<std::int64_t>::max())
          ? static_cast<std::int64_t>(std::numeric_limits<I>::max())
          : std::numeric_limits<std::int64_t>::max();
  static Result<I> parse(std::string_view text) {
    const auto value = detail::parse_integer_within(
        text, static_cast<std::int64_t>(std::numeric_limits<I>::min()), kMost);
    if (!value) return value.error();
    return static_cast<I>(*value);
  }
  static std::string print(I value) { return std::to_string(value); }
};

template <>
struct TextForm<double> {
  static constexpr ValueKind kKind = ValueKind::kNumber;
  static Result<double> parse(std::string_view text) { return parse_number(text); }
  static std::string print(double value) { return detail::print_number(value); }
};

template <class D>
requires(detail::kIsDuration<D>) struct TextForm<D> {
  static constexpr ValueKind kKind = ValueKind::kDuration;
  static Result<D> parse(std::string_view text) { return parse_duration<D>(text); }
  static std::string print(D value) { return to_string(value); }
};

template <>
struct TextForm<Bytes> {
  static constexpr ValueKind kKind = ValueKind::kSize;
  static Result<Bytes> parse(std::string_view text) { return parse_bytes(text); }
  static std::string print(Bytes value) { return to_string(value); }
};

template <>
struct TextForm<Timestamp> {
  static constexpr ValueKind kKind = ValueKind::kTime;
  static Result<Timestamp> parse(std::string_view text) { return parse_timestamp(text); }
  static std::string print(Timestamp value) { return to_string(value); }
};

// None is written "auto": whoever reads the value decides.
template <HasTextForm T>
struct TextForm<std::optional<T>> {
  static constexpr ValueKind kKind = TextForm<T>::kKind;
  static constexpr std::string_view kNone = "auto";
  static Result<std::optional<T>> parse(std::string_view text) {
    if (text == kNone) return std::optional<T>();
    auto value = TextForm<T>::parse(text);
    if (!value) return detail::or_automatic(value.error());
    return std::optional<T>(*std::move(value));
  }
  static std::string print(const std::optional<T>& value) {
    return value ? TextForm<T>::print(*value) : std::string(kNone);
  }
};

template <class E>
requires(std::is_enum_v<E>&& requires { words_of(E{}); }) struct TextForm<E> {
  static constexpr ValueKind kKind = ValueKind::kWord;
  static Result<E> parse(std::string_view text) {
    const auto index = detail::parse_word(text, words_of(E{}));
    if (!index) return index.error();
    return static_cast<E>(*index);
  }
  static std::string print(E value) {
    return std::string(words_of(E{})[static_cast<std::size_t>(value)]);
  }
};

}  // namespace millrace
