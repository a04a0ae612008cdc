#include "millrace/tools/columns.h"

#include <gtest/gtest.h>

#include <sstream>

#include "millrace/tools/job_view.h"

namespace millrace::detail {
namespace {

TEST(Columns, AreAsWideAsWhatIsInThem) {
  Columns columns{{"A", "LONG", "C"}};
  columns.add({"wide", "x", ""});
  columns.add({"y", "", "end"});
  std::ostringstream out;
  columns.print(out);
  EXPECT_EQ(out.str(), "A     LONG  C\nwide  x\ny           end\n");
}

TEST(ReadableTime, HasTwoUnitsAtMost) {
  using namespace std::chrono_literals;
  EXPECT_EQ(readable_time(0ms), "0s");
  EXPECT_EQ(readable_time(59'999ms), "59s");
  EXPECT_EQ(readable_time(125s), "2min 5s");
  EXPECT_EQ(readable_time(1h), "1h");
  EXPECT_EQ(readable_time(76h + 59min), "3d 4h");
}

}  // namespace
}  // namespace millrace::detail
