#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/drive.h"
#include "connectors/payment.h"
#include "millrace/connectors/files/files.h"
#include "support/temporary_directory.h"

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class JsonLines : public testing::Test {
 protected:
  SourceSpec<Payment> spec(std::string_view content, JsonOptions options = {}) {
    return files<Payment>(directory_.file("in.jsonl", content), json_lines(std::move(options)))
        .spec();
  }

  TemporaryDirectory directory_;
};

TEST_F(JsonLines, EachLineIsARecord) {
  EXPECT_THAT(as_json(records_of(spec("{\"account\":\"a\",\"cents\":1,\"at\":1000}\r\n\n"
                                      "{\"at\":0, \"cents\":2, \"account\":\"b\", \"more\":[]}"))),
              ElementsAre(R"({"account":"a","cents":1,"at":"1970-01-01T00:00:01.000Z"})",
                          R"({"account":"b","cents":2,"at":"1970-01-01T00:00:00.000Z"})"));
}

TEST_F(JsonLines, NamesCanBeMapped) {
  EXPECT_THAT(as_json(records_of(spec(R"({"account":"a","amount":1,"at":0})",
                                      {.renames = {{"amount", "cents"}}}))),
              ElementsAre(HasSubstr(R"("cents":1)")));
}

TEST_F(JsonLines, ARenameOfNoMemberIsAnError) {
  EXPECT_THAT(error_of(spec("", {.renames = {{"amount", "sents"}}})),
              HasSubstr("did you mean 'cents'"));
}

TEST_F(JsonLines, NamesMayHoldWhatJsonEscapes) {
  const JsonOptions options{.renames = {{"the \"account\" \\ name\n", "account"}}};
  const std::vector<Payment> payments{{"a", 1, {}}};
  SinkDrive<Payment> sink(files(directory_.path("out"), json_lines(options)).bind<Payment>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write(payments));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_THAT(directory_.read("out/part-0-1.jsonl"),
              testing::StartsWith(R"({"the \"account\" \\ name\n":"a",)"));
  EXPECT_EQ(records_of(files<Payment>(directory_.path("out"), json_lines(options)).spec()),
            payments);
}

TEST_F(JsonLines, AByteOrderMarkDoesNotCount) {
  EXPECT_THAT(records_of(spec("\xEF\xBB\xBF{\"account\":\"a\",\"cents\":1,\"at\":0}\n")),
              SizeIs(1));
}

TEST_F(JsonLines, ABadLineSaysWhereItIsAndHowToGoOn) {
  EXPECT_THAT(error_of(spec("{\"account\":\"a\",\"cents\":1,\"at\":0}\n"
                            "{\"account\":\"a\",\"cents\":true,\"at\":0}\n")),
              AllOf(HasSubstr("in.jsonl:2:24: field 'cents': expected"), HasSubstr("found"),
                    HasSubstr("json_lines({.on_error = OnError::kSkipAndCount})")));
}

TEST_F(JsonLines, AMissingKeyIsABadRecord) {
  const Reading<Payment> reading =
      read_all(spec("{\"account\":\"a\"}\n{\"account\":\"a\",\"cents\":1,\"at\":0}\nnot json\n",
                    {.on_error = OnError::kSideOutput}));
  EXPECT_THAT(reading.records, SizeIs(1));
  ASSERT_THAT(reading.bad, SizeIs(2));
  EXPECT_THAT(reading.bad[0].error, HasSubstr("missing"));
  EXPECT_EQ(reading.bad[0].line, 1);
  EXPECT_EQ(reading.bad[1].line, 3);
  EXPECT_EQ(reading.bad[1].text, "not json");
}

TEST_F(JsonLines, ReadingGoesOnAfterARestoreAlsoInRanges) {
  std::string content;
  for (int i = 0; i < 30; ++i) {
    content += "{\"account\":\"a\",\"cents\":" + std::to_string(i) + ",\"at\":0}\n";
    if (i % 5 == 0) content += '\n';
  }
  const std::vector<Payment> plain = records_of(spec(content));
  ASSERT_THAT(plain, SizeIs(30));
  EXPECT_EQ(records_of(spec(content), {.limit = 3, .restore_after_each_poll = true}), plain);

  const auto ranges = source<detail::FileSource<Payment, detail::JsonLinesReader>>(
      detail::FileInput{.path = directory_.path("in.jsonl"), .splittable = true, .split_bytes = 50},
      detail::JsonLinesReaderOptions{});
  EXPECT_EQ(records_of(ranges, {.limit = 3, .restore_after_each_poll = true}), plain);
}

}  // namespace
}  // namespace millrace::test
