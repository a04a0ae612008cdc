#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/drive.h"
#include "connectors/payment.h"
#include "millrace/connectors/files/files.h"
#include "millrace/core/random.h"
#include "support/temporary_directory.h"

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Nested {
  std::string name;
  std::vector<std::int64_t> numbers;
};

class CsvFiles : public testing::Test {
 protected:
  template <class T = Payment>
  SourceSpec<T> spec(std::string_view content, CsvOptions options = {}) {
    return files<T>(directory_.file("in.csv", content), csv(std::move(options))).spec();
  }
  template <class T = Payment>
  std::vector<std::string> read(std::string_view content, CsvOptions options = {}) {
    return as_json(records_of(spec<T>(content, std::move(options))));
  }

  TemporaryDirectory directory_;
};

TEST_F(CsvFiles, ColumnsGoByNameAndUnknownOnesAreLeftOut) {
  EXPECT_THAT(read("cents,colour,at,account\n5,red,1000,alice\n"),
              ElementsAre(R"({"account":"alice","cents":5,"at":"1970-01-01T00:00:01.000Z"})"));
}

TEST_F(CsvFiles, WithoutHeaderColumnsAreTheMembersInOrder) {
  EXPECT_THAT(read("alice,5,1000\n", {.header = false}), SizeIs(1));
}

TEST_F(CsvFiles, EveryKindOfFieldIsRead) {
  EXPECT_THAT(
      read<Sample>("yes,small,large,single,number,text,at,lasts,colour,maybe,note\n"
                   "1,-128,18446744073709551615,0.5,-1e3,\"a, \"\"b\"\"\",2026-11-20T16:00:00Z,60,"
                   "kGreen,7,hello\n"
                   "false,0,0,0,0,,0,0,kRed,,\"\"\n"),
      ElementsAre(
          R"({"yes":true,"small":-128,"large":18446744073709551615,"single":0.5,"number":-1000,)"
          R"("text":"a, \"b\"","at":"2026-11-20T16:00:00.000Z","lasts":60,"colour":"kGreen",)"
          R"("maybe":7,"note":"hello"})",
          R"({"yes":false,"small":0,"large":0,"single":0,"number":0,"text":"",)"
          R"("at":"1970-01-01T00:00:00.000Z","lasts":0,"colour":"kRed","maybe":null,"note":""})"));
}

struct Optional {
  std::string name;
  std::optional<std::string> note;
};

TEST_F(CsvFiles, AnOptionalWithoutColumnIsAbsentWhateverTheBatchHeldBefore) {
  const std::string with = directory_.file("in/a", "name,note\na,b\n");
  directory_.file("in/b", "name\nc\n");
  EXPECT_THAT(as_json(records_of(files<Optional>(directory_.path("in"), csv()).spec())),
              ElementsAre(R"({"name":"a","note":"b"})", R"({"name":"c","note":null})"));
}

TEST_F(CsvFiles, TheNullTextIsAChoice) {
  EXPECT_THAT(read<Optional>("name,note\nNULL,NULL\nx,\"NULL\"\ny,\n", {.null_text = "NULL"}),
              ElementsAre(R"({"name":"NULL","note":null})", R"({"name":"x","note":"NULL"})",
                          R"({"name":"y","note":""})"));
}

TEST_F(CsvFiles, NamesCanBeMapped) {
  EXPECT_THAT(
      read("Account Number;amount;at\na;5;0\n",
           {.delimiter = ';', .renames = {{"Account Number", "account"}, {"amount", "cents"}}}),
      ElementsAre(R"({"account":"a","cents":5,"at":"1970-01-01T00:00:00.000Z"})"));
}

TEST_F(CsvFiles, ARenameOfNoMemberIsAnErrorThatSuggestsOne) {
  EXPECT_THAT(error_of(spec("", {.renames = {{"x", "acount"}}})),
              HasSubstr("names the field 'acount', which Payment has not; did you mean 'account'"));
}

TEST_F(CsvFiles, TwoMembersOfOneNameAreRefused) {
  EXPECT_THAT(error_of(spec("", {.renames = {{"cents", "account"}}})),
              HasSubstr("two fields of Payment would be called 'cents'"));
}

TEST_F(CsvFiles, AMissingColumnIsAnErrorThatListsTheHeader) {
  EXPECT_THAT(
      error_of(spec("account,amount,at\n")),
      HasSubstr("in.csv:1: there is no column 'cents'; the header has account, amount and at"));
}

TEST_F(CsvFiles, AColumnThatIsThereTwiceIsAnError) {
  EXPECT_THAT(error_of(spec("account,cents,at,cents\n")), HasSubstr("two columns 'cents'"));
}

TEST_F(CsvFiles, ContainersAreRefusedWhenTheJobStarts) {
  EXPECT_THAT(error_of(spec<Nested>("name,numbers\n")),
              HasSubstr("CSV cannot hold the field 'numbers' of Nested, which is a list; use "
                        "json_lines()"));
}

TEST_F(CsvFiles, ADelimiterThatIsTheQuoteIsRefused) {
  EXPECT_THAT(error_of(spec("", {.delimiter = '"'})), HasSubstr("two different characters"));
}

TEST_F(CsvFiles, ABadFieldSaysWhereItIsAndHowToGoOn) {
  EXPECT_THAT(error_of(spec("account,cents,at\na,1,0\n\"b\nc\",12x,0\n")),
              testing::AllOf(HasSubstr("in.csv:4:4: field 'cents': '12x' is no int64; expected an "
                                       "integer from -9223372036854775808 to 9223372036854775807"),
                             HasSubstr("the record is '\"b\\nc\",12x,0'"),
                             HasSubstr("csv({.on_error = OnError::kSkipAndCount})")));
}

TEST_F(CsvFiles, TooFewFieldsAreABadRecord) {
  EXPECT_THAT(error_of(spec("account,cents,at\na,1\n")),
              HasSubstr("in.csv:2:1: expected 3 fields, as in the header, found 2"));
}

TEST_F(CsvFiles, BadRecordsCanBeLeftOut) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(
      read("account,cents,at\na,1,0\nb,x,0\nc,2,0\nd\n", {.on_error = OnError::kSkipAndCount}),
      SizeIs(2));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr("source 'tested' left out 2 bad records, the first: "),
                             HasSubstr("in.csv:3:3: field 'cents': 'x' is no int64")));
}

TEST_F(CsvFiles, BadRecordsCanGoToASideOutput) {
  const Reading<Payment> reading =
      read_all(spec("account,cents,at\na,1,0\nb,x,0\n", {.on_error = OnError::kSideOutput}));
  ASSERT_TRUE(reading.status);
  EXPECT_THAT(reading.records, SizeIs(1));
  ASSERT_THAT(reading.bad, SizeIs(1));
  EXPECT_EQ(reading.bad[0].line, 3);
  EXPECT_EQ(reading.bad[0].column, 3);
  EXPECT_EQ(reading.bad[0].field, "cents");
  EXPECT_EQ(reading.bad[0].text, "b,x,0");
}

TEST_F(CsvFiles, AFileOfBadRecordsDoesNotOverfillTheSideOutput) {
  std::string content = "account,cents,at\n";
  for (int i = 0; i < 5'000; ++i) content += "a,x,0\n";
  SourceDrive<Payment> drive(spec(content, {.on_error = OnError::kSideOutput}));
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  EXPECT_LE(drive.read_all().bad.size(), 5'256);
}

TEST_F(CsvFiles, AFileOfLargeBadRecordsDoesNotOverfillTheSideOutputEither) {
  std::string content = "account,cents,at\n";
  for (int i = 0; i < 20; ++i) content += std::string(100'000, 'a') + ",x,0\n";
  SourceDrive<Payment> drive(spec(content, {.on_error = OnError::kSideOutput}));
  ASSERT_TRUE(drive.start());
  ASSERT_TRUE(drive.poll());
  EXPECT_THAT(drive.bad(), SizeIs(3));
  EXPECT_THAT(drive.read_all().bad, SizeIs(23)) << "the source begins again";
}

TEST_F(CsvFiles, EmptyLinesAreNoRecordsUnlessThereIsOneColumn) {
  EXPECT_THAT(read("account,cents,at\n\na,1,0\n\r\n"), SizeIs(1));
  EXPECT_THAT(read<std::string>("value\na\n\nb\n"), ElementsAre("\"a\"", "\"\"", "\"b\""));
}

TEST_F(CsvFiles, AnEmptyFileNeedsNoHeader) { EXPECT_THAT(read(""), IsEmpty()); }

TEST_F(CsvFiles, AByteOrderMarkDoesNotCount) {
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "account,cents,at\na,1,0\n"),
              SizeIs(1));
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "7,1,0\n",
                   {.header = false}),
              ElementsAre(HasSubstr(R"("account":"7")")));
}

TEST_F(CsvFiles, AQuotedFieldThatIsNeverClosedCostsOneRecord) {
  const Reading<Payment> reading = read_all(
      spec("account,cents,at\n\"a,1,0\nb,2,0\nc,3,0\n", {.on_error = OnError::kSideOutput}));
  EXPECT_THAT(reading.records, SizeIs(2));
  ASSERT_THAT(reading.bad, SizeIs(1));
  EXPECT_EQ(reading.bad[0].text, "\"a,1,0");
}

TEST_F(CsvFiles, AQuotedFieldThatIsNotClosedWithinTheLimitCostsOneRecord) {
  std::string content = "account,cents,at\n\"a,1,0\n";
  for (int i = 0; i < 66; ++i) content += std::string(1 << 20, 'b') + ",2,0\n";
  const Reading<Payment> reading = read_all(spec(content, {.on_error = OnError::kSideOutput}));
  ASSERT_TRUE(reading.status) << reading.status.error().message();
  EXPECT_THAT(reading.records, SizeIs(66));
  ASSERT_THAT(reading.bad, SizeIs(1));
  EXPECT_EQ(reading.bad[0].error, "a quoted field is not closed within 64 MiB");
}

// Records with everything that is hard: quotes, newlines, delimiters and empty fields.
std::string hard_csv(Random& random, bool newlines) {
  constexpr std::string_view kTexts[] = {"a", "\"b,c\"", "\"d\"\"\"", "\"e\nf\"", "\"\r\n\"", ""};
  std::string content = "account,cents,at\n";
  for (std::uint64_t i = random.below(60); i > 0; --i) {
    content += kTexts[random.below(newlines ? 6 : 3)];
    content += "," + std::to_string(random.below(1'000)) + "," + std::to_string(i);
    content += random.chance(0.3) ? "\r\n" : "\n";
  }
  return content;
}

TEST_F(CsvFiles, ReadingGoesOnAfterARestore) {
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    const SourceSpec<Payment> hard = spec(hard_csv(random, true));
    const std::vector<Payment> plain = records_of(hard);
    for (const std::size_t limit : {1, 3}) {
      EXPECT_EQ(records_of(hard, {.limit = limit, .restore_after_each_poll = true}), plain);
    }
  }
}

TEST_F(CsvFiles, LineNumbersHoldAfterARestore) {
  const Reading<Payment> reading = read_all(
      spec("account,cents,at\n\"a\n\",1,0\nb,2,0\nc,x,0\n", {.on_error = OnError::kSideOutput}),
      {.limit = 1, .restore_after_each_poll = true});
  ASSERT_THAT(reading.bad, SizeIs(1));
  EXPECT_EQ(reading.bad[0].line, 5);
}

class CsvRanges : public CsvFiles {
 protected:
  SourceSpec<Payment> ranges(const std::string& path, std::int64_t bytes, OnError on_error) {
    detail::CsvReaderOptions options;
    options.on_error = on_error;
    options.splittable = true;
    return source<detail::FileSource<Payment, detail::CsvReader>>(
        detail::FileInput{.path = path, .splittable = true, .split_bytes = bytes}, options);
  }
};

TEST_F(CsvRanges, HoldEachRecordOnce) {
  Random random(2);
  for (int round = 0; round < 50; ++round) {
    const std::string content = hard_csv(random, false);
    const std::string path = directory_.file("in.csv", content);
    const auto bytes = static_cast<std::int64_t>(1 + random.below(80));
    const auto plain = records_of(files<Payment>(path, csv()).spec());
    EXPECT_EQ(records_of(ranges(path, bytes, OnError::kFail)), plain) << content;
    EXPECT_EQ(records_of(ranges(path, bytes, OnError::kFail),
                         {.limit = 2, .restore_after_each_poll = true}),
              plain);
  }
}

TEST_F(CsvRanges, RefuseNewlinesInQuotes) {
  EXPECT_THAT(
      error_of(files<Payment>(directory_.file("in.csv", "account,cents,at\n\"a\nb\",1,0\n"), csv())
                   .splittable()
                   .spec()),
      HasSubstr("cannot be read with .splittable()"));
}

TEST_F(CsvRanges, NameLinesOfTheWholeFile) {
  const std::string path =
      directory_.file("in.csv", "account,cents,at\na,1,0\nb,2,0\nc,3,0\nd,x,0\ne,4,0\nf,y,0\n");
  const Reading<Payment> reading = read_all(ranges(path, 10, OnError::kSideOutput));
  ASSERT_THAT(reading.bad, SizeIs(2));
  EXPECT_EQ(reading.bad[0].line, 5);
  EXPECT_EQ(reading.bad[1].line, 7);
}

TEST_F(CsvFiles, MutatedFilesNeverFailWhereBadRecordsAreKept) {
  Random random(3);
  constexpr std::string_view kBytes = ",\"\n\r ax0;\\";
  for (int round = 0; round < 150; ++round) {
    std::string content = hard_csv(random, true);
    for (int i = 0; i < 3; ++i) {
      // The header stays as it is.
      const std::size_t at = 17 + random.below(content.size() - 16);
      content.insert(at, 1, kBytes[random.below(kBytes.size())]);
    }
    const auto reading = read_all(spec(content, {.on_error = OnError::kSideOutput}));
    ASSERT_TRUE(reading.status) << reading.status.error().message() << content;
    const auto again = read_all(spec(content, {.on_error = OnError::kSideOutput}),
                                {.limit = 1, .restore_after_each_poll = true});
    EXPECT_EQ(again.records, reading.records) << content;
    EXPECT_EQ(again.bad.size(), reading.bad.size()) << content;
  }
}

}  // namespace
}  // namespace millrace::test
