#include "millrace/connectors/files/csv_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/random.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Fields = std::vector<std::string>;  // a bad record is {"!"}

Fields fields_of(const CsvParser& parser, CsvStep step) {
  if (step == CsvStep::kBad) return {"!"};
  Fields fields;
  std::string buffer;
  for (const CsvField& field : parser.fields()) {
    fields.emplace_back(parser.unescaped(field, buffer));
  }
  return fields;
}

std::vector<Fields> parse_all(std::string_view bytes, CsvSyntax syntax = {}) {
  CsvParser parser(syntax);
  std::vector<Fields> records;
  for (CsvStep step; (step = parser.parse(bytes, true)) != CsvStep::kEnd;) {
    records.push_back(fields_of(parser, step));
    bytes.remove_prefix(parser.used());
  }
  return records;
}

TEST(CsvParser, FieldsStandBetweenDelimiters) {
  EXPECT_THAT(parse_all("a,b,c\n,,\nx\n"),
              ElementsAre(Fields{"a", "b", "c"}, Fields{"", "", ""}, Fields{"x"}));
}

TEST(CsvParser, QuotesKeepDelimitersNewlinesAndQuotes) {
  EXPECT_THAT(parse_all("\"a,b\",\"c\nd\",\"e\"\"f\"\n"),
              ElementsAre(Fields{"a,b", "c\nd", "e\"f"}));
  EXPECT_THAT(parse_all("\"\",\"\"\"\"\n"), ElementsAre(Fields{"", "\""}));
}

TEST(CsvParser, LinesMayEndInReturnAndNewlineAndTheLastInNothing) {
  EXPECT_THAT(parse_all("a,b\r\n\"c\",d\r\ne,\"f\""),
              ElementsAre(Fields{"a", "b"}, Fields{"c", "d"}, Fields{"e", "f"}));
}

TEST(CsvParser, AnotherDelimiterAndQuoteWork) {
  EXPECT_THAT(parse_all("a;'b;''c';d,e\n", {.delimiter = ';', .quote = '\''}),
              ElementsAre(Fields{"a", "b;'c", "d,e"}));
}

TEST(CsvParser, TheLinesOfARecordAreCounted) {
  CsvParser parser(CsvSyntax{});
  ASSERT_EQ(parser.parse("\"a\nb\",\"\n\"\nnext", true), CsvStep::kRecord);
  EXPECT_EQ(parser.lines(), 3);
  EXPECT_EQ(parser.used(), 10);
  EXPECT_EQ(parser.text(), "\"a\nb\",\"\n\"");
}

TEST(CsvParser, AFieldThatIsNotClosedCostsOneLine) {
  EXPECT_THAT(parse_all("a,\"b\nc,d\n"), ElementsAre(Fields{"!"}, Fields{"c", "d"}));
}

TEST(CsvParser, AQuoteWithinAFieldIsAnErrorAtThatField) {
  CsvParser parser(CsvSyntax{});
  ASSERT_EQ(parser.parse("one,5\" disk\nnext", true), CsvStep::kBad);
  EXPECT_THAT(parser.error(), HasSubstr("put the whole field in quotes"));
  EXPECT_EQ(parser.error_offset(), 4);
  EXPECT_EQ(parser.used(), 12);
}

TEST(CsvParser, TextBehindAClosingQuoteIsAnError) {
  CsvParser parser(CsvSyntax{});
  ASSERT_EQ(parser.parse("\"one\" ,two\n", true), CsvStep::kBad);
  EXPECT_THAT(parser.error(), HasSubstr("follows the closing quote"));
}

TEST(CsvParser, WithoutNewlinesInQuotesALineStandsForItself) {
  EXPECT_THAT(parse_all("\"a,b\",c\n\"d\ne\",f\n\"g\"\r\n", {.newlines_in_quotes = false}),
              ElementsAre(Fields{"a,b", "c"}, Fields{"!"}, Fields{"!"}, Fields{"g"}));
}

TEST(CsvParser, ARecordThatIsNotAllThereNeedsMore) {
  CsvParser parser(CsvSyntax{});
  for (const char* part : {"", "a", "a,b", "\"a", "\"a\n", "\"a\nb\"", "\"a\nb\"\"", "\"a\nb\"\r",
                           "\"a\nb\",c", "\"a\nb\",c\r"}) {
    EXPECT_EQ(parser.parse(part, false), CsvStep::kMore) << part;
  }
}

// An oracle that reads one character after the other.
class Oracle {
 public:
  explicit Oracle(std::string_view bytes) : bytes_(bytes) {}

  std::vector<Fields> parse() {
    std::vector<Fields> records;
    while (at_ < bytes_.size()) {
      const std::size_t begin = at_;
      Fields record;
      if (!parse_record(record)) {
        record = {"!"};
        at_ = std::min(bytes_.find('\n', begin), bytes_.size() - 1) + 1;
      }
      records.push_back(record);
    }
    return records;
  }

 private:
  bool parse_record(Fields& record) {
    while (true) {
      if (!(peek() == '"' ? quoted(record) : plain(record))) return false;
      if (ends_line()) return true;
      if (peek() != ',') return false;
      ++at_;
    }
  }
  bool quoted(Fields& record) {
    std::string text;
    for (++at_; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '"') {
        if (at_ + 1 >= bytes_.size() || bytes_[at_ + 1] != '"') {
          ++at_;
          record.push_back(text);
          return true;
        }
        ++at_;
      }
      text += bytes_[at_];
    }
    return false;
  }
  bool plain(Fields& record) {
    std::string text;
    while (at_ < bytes_.size() && peek() != ',' && !at_line_end()) {
      if (peek() == '"') return false;
      text += bytes_[at_++];
    }
    record.push_back(text);
    return true;
  }
  bool at_line_end() const {
    const std::string_view rest = bytes_.substr(at_);
    return rest.empty() || rest[0] == '\n' || rest.starts_with("\r\n") || rest == "\r";
  }
  bool ends_line() {
    if (!at_line_end()) return false;
    if (peek() == '\r') ++at_;
    if (at_ < bytes_.size()) ++at_;
    return true;
  }
  char peek() const { return at_ < bytes_.size() ? bytes_[at_] : '\0'; }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::string random_csv(Random& random) {
  constexpr std::string_view kPieces[] = {"a",    "bc", ",", ",",     "\"",      "\"\"", "\n",
                                          "\r\n", "\r", " ", "\"x\"", "\"y,z\"", "\n"};
  std::string text;
  for (std::uint64_t i = random.below(30); i > 0; --i) text += kPieces[random.below(13)];
  return text;
}

TEST(CsvParser, AgreesWithAnOracleOnRandomText) {
  Random random(42);
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_csv(random);
    ASSERT_EQ(parse_all(text), Oracle(text).parse()) << testing::PrintToString(text);
  }
}

TEST(CsvParser, PartOfTheBytesGivesTheSameRecordOrAsksForMore) {
  Random random(43);
  CsvParser whole(CsvSyntax{});
  CsvParser part(CsvSyntax{});
  for (int round = 0; round < 3'000; ++round) {
    const std::string text = random_csv(random);
    const CsvStep expected = whole.parse(text, true);
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const CsvStep step = part.parse(std::string_view(text).substr(0, size), false);
      if (step == CsvStep::kMore) continue;
      ASSERT_EQ(step, expected) << testing::PrintToString(text) << " cut at " << size;
      EXPECT_EQ(part.used(), whole.used());
      EXPECT_EQ(part.text(), whole.text());
      EXPECT_EQ(fields_of(part, step), fields_of(whole, expected));
    }
  }
}

}  // namespace
}  // namespace millrace::detail
