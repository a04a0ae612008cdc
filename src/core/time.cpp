#include "millrace/core/time.h"

#include <charconv>
#include <cstdint>

#include "millrace/core/text.h"

namespace millrace {
namespace {

using namespace std::chrono;

// What ISO-8601 holds without agreement. A calendar year has 16 bits: times beyond would wrap.
constexpr Timestamp kFirstPrinted = sys_days(year(0) / January / 1);
constexpr Timestamp kFirstBeyond = sys_days(year(10'000) / January / 1);

void append_padded(std::string& text, unsigned value, int width) {
  char digits[8];
  for (int i = width - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  text.append(digits, static_cast<std::size_t>(width));
}

// Reads the text from the left; a failed step makes all later ones fail.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `width` digits.
  bool number(std::size_t width, int& value) {
    if (rest_.size() < width) return false;
    value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(width);
    return true;
  }
  // One digit or more, of which the first three count as milliseconds.
  bool fraction(int& milliseconds_of_second) {
    int digits = 0;
    milliseconds_of_second = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      if (digits < 3) milliseconds_of_second = milliseconds_of_second * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    for (int i = digits; i < 3; ++i) milliseconds_of_second *= 10;
    return digits > 0;
  }

 private:
  std::string_view rest_;
};

bool read_zone(Reader& reader, minutes& offset) {
  if (reader.done() || reader.take('Z')) return true;
  const int sign = reader.take('+') ? 1 : reader.take('-') ? -1 : 0;
  int hour = 0;
  int minute = 0;
  if (sign == 0 || !reader.number(2, hour)) return false;
  reader.take(':');
  if (!reader.done() && !reader.number(2, minute)) return false;
  offset = sign * (hours(hour) + minutes(minute));
  return hour < 24 && minute < 60;
}

bool read_clock(Reader& reader, Duration& time_of_day) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  if (!reader.number(2, hour) || !reader.take(':') || !reader.number(2, minute)) return false;
  if (reader.take(':') && !reader.number(2, second)) return false;
  if (reader.take('.') && !reader.fraction(millisecond)) return false;
  time_of_day = hours(hour) + minutes(minute) + seconds(second) + milliseconds(millisecond);
  return hour < 24 && minute < 60 && second < 60;
}

bool read_iso8601(std::string_view text, Timestamp& time) {
  Reader reader(text);
  int y = 0;
  int m = 0;
  int d = 0;
  if (!reader.number(4, y) || !reader.take('-') || !reader.number(2, m) || !reader.take('-') ||
      !reader.number(2, d)) {
    return false;
  }
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok()) return false;
  Duration time_of_day{0};
  minutes offset{0};
  if (!reader.done()) {
    if (!reader.take('T') && !reader.take(' ')) return false;
    if (!read_clock(reader, time_of_day) || !read_zone(reader, offset)) return false;
  }
  time = sys_days(date) + time_of_day - offset;
  return reader.done();
}

}  // namespace

void append_iso8601(std::string& text, Timestamp time) {
  if (time < kFirstPrinted || time >= kFirstBeyond) {
    text += std::to_string(time.time_since_epoch().count());
    return;
  }
  const sys_days day_start = floor<days>(time);
  const year_month_day date(day_start);
  const hh_mm_ss clock(time - day_start);
  append_padded(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  text += '-';
  append_padded(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  append_padded(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  append_padded(text, static_cast<unsigned>(clock.hours().count()), 2);
  text += ':';
  append_padded(text, static_cast<unsigned>(clock.minutes().count()), 2);
  text += ':';
  append_padded(text, static_cast<unsigned>(clock.seconds().count()), 2);
  text += '.';
  append_padded(text, static_cast<unsigned>(clock.subseconds().count()), 3);
  text += 'Z';
}

std::string to_string(Timestamp time) {
  std::string text;
  append_iso8601(text, time);
  return text;
}

Result<Timestamp> parse_timestamp(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size()) return Timestamp(Duration(count));
  Timestamp time;
  if (read_iso8601(text, time)) return time;
  return invalid_argument(concat(in_quotes(text),
                                 " is not a timestamp; expected ISO-8601 such as "
                                 "2026-11-20T16:00:00.000Z, or milliseconds since 1970"));
}

Timestamp SystemClock::now() const { return floor<Duration>(system_clock::now()); }

std::chrono::nanoseconds SystemClock::monotonic() const {
  return steady_clock::now().time_since_epoch();
}

}  // namespace millrace
