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

}  // namespace
}  // namespace millrace
