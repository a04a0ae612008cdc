#include "millrace/launch/status_line.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(StatusText, ShowsRatesSinceTheLastLine) {
  const detail::JobProgress before{.records_in = 1'000, .records_out = 10};
  const detail::JobProgress now{.records_in = 4'001'000, .records_out = 30};
  EXPECT_EQ(status_text(before, now, 2, Timestamp(0ms)), "2.0 M records/s in, 10 out, 4.0 M read");
}

TEST(StatusText, ShowsHowFarTheWatermarkIsBehindOnceThereIsOne) {
  const detail::JobProgress now{.watermark = Timestamp(400ms)};
  EXPECT_EQ(status_text({}, now, 1, Timestamp(1s)),
            "0 records/s in, 0 out, 0 read, watermark 600 ms behind");
}

TEST(StatusText, ShowsHowMuchStateThereIsAndHowOftenItWasReadFromDisk) {
  detail::JobProgress now{.state_rows = 1'200'000, .state_bytes = 84'000'000};
  now.state_lookups = 5'000;
  EXPECT_EQ(status_text({}, now, 1, Timestamp(0ms)),
            "0 records/s in, 0 out, 0 read, state 1.2 M keys in 84.0 MB");
  detail::JobProgress later = now;
  later.state_lookups += 1'000;
  later.state_reads += 120;
  EXPECT_EQ(status_text(now, later, 1, Timestamp(0ms)),
            "0 records/s in, 0 out, 0 read, state 1.2 M keys in 84.0 MB (12 % read from disk)");
}

}  // namespace
}  // namespace millrace
