#include "millrace/connectors/console/print.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "connectors/drive.h"
#include "connectors/payment.h"
#include "support/temporary_directory.h"

namespace millrace::test {
namespace {

using testing::HasSubstr;

class PrintTo : public testing::Test {
 protected:
  PrintTo() { file_ = open(directory_.path("out").c_str(), O_RDWR | O_CREAT | O_APPEND, 0600); }
  ~PrintTo() override { close(file_); }

  template <class T>
  SinkSpec spec(std::string name = {}) {
    return detail::Print(std::move(name), file_).bind<T>();
  }
  std::string printed() { return directory_.read("out"); }

  TemporaryDirectory directory_;
  SystemClock clock_;
  int file_ = -1;
};

TEST_F(PrintTo, EachRecordIsALineOfJson) {
  SinkDrive<Payment> sink(spec<Payment>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  EXPECT_EQ(printed(), "");
  ASSERT_TRUE(sink->flush());
  EXPECT_EQ(printed(), "{\"account\":\"a\",\"cents\":1,\"at\":\"1970-01-01T00:00:00.000Z\"}\n");
}

TEST_F(PrintTo, AStringKeepsItsQuotes) {
  SinkDrive<std::string> sink(spec<std::string>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({"two\nlines"}));
  ASSERT_TRUE(sink->flush());
  EXPECT_EQ(printed(), "\"two\\nlines\"\n");
}

TEST_F(PrintTo, ANamedSinkPutsItsNameBeforeEachLine) {
  EXPECT_EQ(spec<std::int64_t>("late").name, "late");
  SinkDrive<std::int64_t> sink(spec<std::int64_t>("late"));
  ASSERT_TRUE(sink.open(context_of(clock_, "renamed", true)));
  ASSERT_TRUE(sink.write({1, 2}));
  ASSERT_TRUE(sink->flush());
  EXPECT_EQ(printed(), "renamed> 1\nrenamed> 2\n");
}

TEST_F(PrintTo, AnAutomaticNameIsNotPrinted) {
  SinkDrive<std::int64_t> sink(spec<std::int64_t>());
  ASSERT_TRUE(sink.open(context_of(clock_, "print-1", false)));
  ASSERT_TRUE(sink.write({1}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  EXPECT_EQ(printed(), "1\n");
}

TEST_F(PrintTo, ABatchOfManyLinesIsWrittenBeforeAFlush) {
  SinkDrive<std::string> sink(spec<std::string>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({std::string(50'000, 'x')}));
  EXPECT_EQ(printed(), "");
  ASSERT_TRUE(sink.write(std::vector<std::string>(2, std::string(50'000, 'x'))));
  EXPECT_EQ(printed().size(), 150'009);
}

TEST_F(PrintTo, AReaderThatIsGoneIsAnError) {
  std::signal(SIGPIPE, SIG_IGN);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  close(pipe_ends[0]);
  SinkDrive<std::int64_t> sink(detail::Print({}, pipe_ends[1]).bind<std::int64_t>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({1}));
  EXPECT_THAT(message_of(sink->flush()), HasSubstr("the reader of standard output is gone"));
  close(pipe_ends[1]);
}

TEST_F(PrintTo, AFullPipeThatDoesNotBlockIsWaitedFor) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_NONBLOCK), 0);
  SinkDrive<std::string> sink(detail::Print({}, pipe_ends[1]).bind<std::string>());
  ASSERT_TRUE(sink.open());
  std::size_t count = 0;
  std::thread reader([&] {
    char buffer[10'000];
    while (count < 1'003'000) {
      const ssize_t got = read(pipe_ends[0], buffer, sizeof buffer);
      if (got > 0) count += static_cast<std::size_t>(got);
    }
  });
  EXPECT_TRUE(sink.write(std::vector<std::string>(1'000, std::string(1'000, 'x'))));
  EXPECT_TRUE(sink->flush());
  reader.join();
  EXPECT_EQ(count, 1'003'000);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST_F(PrintTo, LinesOfTwoSinksDoNotMixInAPipe) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  constexpr int kLines = 5'000;
  const auto run = [&](char letter) {
    SinkDrive<std::string> sink(detail::Print({}, pipe_ends[1]).bind<std::string>());
    ASSERT_TRUE(sink.open());
    for (int i = 0; i < kLines; ++i) ASSERT_TRUE(sink.write({std::string(100, letter)}));
    ASSERT_TRUE(sink->flush());
  };
  std::string all;
  std::thread reader([&] {
    char buffer[10'000];
    for (ssize_t got; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
  });
  std::thread other([&] { run('a'); });
  run('b');
  other.join();
  close(pipe_ends[1]);
  reader.join();
  close(pipe_ends[0]);
  ASSERT_EQ(all.size(), 2 * kLines * 103);
  for (std::size_t i = 0; i < all.size(); i += 103) {
    const std::string line = all.substr(i, 103);
    ASSERT_EQ(line, '"' + std::string(100, line[1]) + "\"\n");
  }
}

}  // namespace
}  // namespace millrace::test
