#include "millrace/coordination/worker/process_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace millrace::detail {
namespace {

const SubtaskAtWork kMap{"map-1", 0, 2};

TEST(ProcessEnd, SaysWhatWasAtWorkAndWhatWasSaidLast) {
  EXPECT_EQ(describe({.signal = SIGSEGV}, {.marked = kMap}, "one\ntwo\n"),
            user_code("its process was ended by SIGSEGV (Segmentation fault) in task 'map-1', "
                      "subtask 1 of 2; it said last:\none\ntwo"));
  EXPECT_EQ(describe({.status = 1}, {}, ""), unavailable("its process ended with status 1"));
}

TEST(ProcessEnd, NamesAFewOfManyThatWereAtWork) {
  const CrashReport report{.at_work = {kMap, kMap, kMap, kMap, kMap}};
  EXPECT_EQ(describe({.signal = SIGTERM}, report, "").message(),
            "its process was ended by SIGTERM (Terminated) while at work on 'map-1', subtask 1 of "
            "2, 'map-1', subtask 1 of 2, 'map-1', subtask 1 of 2 and 2 more");
}

TEST(ProcessEnd, IsTheUsersWhereATaskCalledExit) {
  EXPECT_EQ(describe({.status = 0}, {.marked = kMap}, "").code(), ErrorCode::kUserCode);
  EXPECT_EQ(describe({.status = 2}, {.marked = kMap}, "").code(), ErrorCode::kUserCode);
  EXPECT_EQ(describe({.status = 2}, {}, "").code(), ErrorCode::kInvalidArgument);
}

TEST(ProcessEnd, ShowsNoControlCharacters) {
  EXPECT_EQ(describe({.status = 1}, {}, "a\x1b[31m\tb\x01").message(),
            "its process ended with status 1; it said last:\na?[31m\tb?");
}

TEST(ProcessEnd, NamesASignalThatHasNoName) {
  EXPECT_EQ(describe({.signal = 60}, {}, "").message(), "its process was ended by signal 60");
}

}  // namespace
}  // namespace millrace::detail
