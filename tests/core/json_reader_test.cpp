#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "core/kitchen_sink.h"
#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace {
namespace {

using detail::JsonReader;
using namespace std::chrono_literals;

struct Flagged {
  bool flag;
};

template <class T>
Result<T> read(std::string_view text, detail::JsonReaderOptions options = {}) {
  T value{};
  JsonReader reader(std::move(options));
  if (Status status = reader.read(text, value); !status) return status.error();
  return value;
}

template <class T>
std::string error_of(std::string_view text) {
  const Result<T> value = read<T>(text);
  return value ? "no error" : value.error().message();
}

TEST(JsonReader, ReadsBackWhatWasPrinted) {
  JsonReader reader;
  for (KitchenSink& sink : kitchen_sinks(12)) {
    if (sink.maybe_maybe && !*sink.maybe_maybe) sink.maybe_maybe.reset();  // both are null
    std::string text;
    detail::append_json(text, sink);
    KitchenSink read;
    const Status status = reader.read(text, read);
    ASSERT_TRUE(status) << status.error().message() << '\n' << text;
    EXPECT_EQ(read, sink);
  }
}

TEST(JsonReader, ReadsRecursiveAndMoveOnlyRecords) {
  const Result<Tree> tree = read<Tree>(
      R"({"id":1,"children":[{"id":2,"children":[]}],"next":{"id":3,"children":[],"next":null}})");
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->children[0].id, 2);
  EXPECT_EQ(tree->next->id, 3);
}

TEST(JsonReader, ReadsFieldsInAnyOrderAndIgnoresOthers) {
  const Result<Payment> payment =
      read<Payment>(R"( { "at" : 5, "x" : {"cents":[1]}, "cents" : 7, "account" : "a" } )");
  ASSERT_TRUE(payment) << payment.error().message();
  EXPECT_EQ(*payment, (Payment{"a", 7, Timestamp(5ms)}));
}

TEST(JsonReader, ReadsTimesAsTextOrMilliseconds) {
  EXPECT_EQ(*read<Timestamp>("1500"), Timestamp(1'500ms));
  EXPECT_EQ(*read<Timestamp>(R"("1970-01-01T00:00:01.5Z")"), Timestamp(1'500ms));
  EXPECT_EQ(*read<std::chrono::seconds>("3"), 3s);
}

TEST(JsonReader, ReadsExtremeNumbers) {
  EXPECT_EQ(*read<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*read<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(*read<std::int8_t>("-128"), -128);
  EXPECT_EQ(*read<double>("5"), 5.0);
  EXPECT_EQ(*read<float>("0.1"), 0.1f);
}

TEST(JsonReader, ReadsEnumsByNameOrNumber) {
  EXPECT_EQ(*read<Color>(R"("kBlue")"), Color::kBlue);
  EXPECT_EQ(*read<Color>("-7"), static_cast<Color>(-7));
}

TEST(JsonReader, RenamesKeysOfTheOutermostRecord) {
  const std::string_view text = R"({"iban":"a","amount":7,"at":0})";
  const detail::JsonReaderOptions options{.renames = {{"iban", "account"}, {"amount", "cents"}}};
  const Result<Payment> payment = read<Payment>(text, options);
  ASSERT_TRUE(payment) << payment.error().message();
  EXPECT_EQ(payment->cents, 7);
  EXPECT_EQ(read<Payment>("{}", options).error().message(), "column 1: the key 'iban' is missing");
}

TEST(JsonReader, ReplacesWhatTheValueHeld) {
  JsonReader reader;
  std::vector<std::optional<std::string>> value{"long text that is there", "b", "c"};
  ASSERT_TRUE(reader.read(R"(["x",null])", value));
  EXPECT_EQ(value, (std::vector<std::optional<std::string>>{"x", std::nullopt}));
}

TEST(JsonReader, TreatsAMissingOptionalAsEmpty) {
  struct Note {
    std::optional<std::string> text;
    std::unique_ptr<int> number;
  };
  JsonReader reader;
  Note note{"old", std::make_unique<int>(1)};
  ASSERT_TRUE(reader.read("{}", note));
  EXPECT_FALSE(note.text);
  EXPECT_FALSE(note.number);
}

TEST(JsonReader, NamesAMissingKey) {
  EXPECT_EQ(error_of<Payment>(R"({"account":"a","at":1})"), "column 1: the key 'cents' is missing");
  EXPECT_EQ(error_of<std::vector<Payment>>(R"([{"account":"a","at":1}])"),
            "column 2: field '[0]': the key 'cents' is missing");
}

TEST(JsonReader, SaysWhereAValueIsOfAnotherType) {
  EXPECT_EQ(error_of<Payment>(R"({"account":5,"cents":1,"at":1})"),
            "column 12: field 'account': expected string, found 5");
  EXPECT_EQ(error_of<Payment>(R"({"account":"a","cents":"12"})"),
            "column 24: field 'cents': expected int64, found the string '12'");
  EXPECT_EQ(error_of<Payment>(R"({"account":"a","cents":1.5})"),
            "column 24: field 'cents': expected int64, found 1.5");
  EXPECT_EQ(error_of<Payment>(R"({"account":null})"),
            "column 12: field 'account': expected string, found null");
  EXPECT_EQ(error_of<Payment>("[]"), "column 1: expected an object, found an array");
  EXPECT_EQ(error_of<bool>("{}"), "column 1: expected bool, found an object");
  EXPECT_EQ(error_of<std::vector<std::vector<Flagged>>>("[[],[{\"flag\":0}]]"),
            "column 14: field '[1][0].flag': expected bool, found 0");
  EXPECT_EQ(error_of<Timestamp>(R"("noon")"),
            "column 1: expected a timestamp, as ISO-8601 text or integer milliseconds, found the "
            "string 'noon'");
}

TEST(JsonReader, RefusesNumbersOutOfRange) {
  EXPECT_EQ(error_of<std::int8_t>("128"),
            "column 1: expected int8, found 128, which is out of range");
  EXPECT_EQ(error_of<std::uint32_t>("-1"),
            "column 1: expected uint32, found -1, which is out of range");
  EXPECT_EQ(error_of<std::int64_t>("9223372036854775808"),
            "column 1: expected int64, found 9223372036854775808, which is out of range");
  EXPECT_EQ(error_of<std::uint64_t>("18446744073709551616"),
            "column 1: expected uint64, found 18446744073709551616, which is out of range");
  EXPECT_EQ(error_of<std::int64_t>("01"), "column 1: expected int64, found 01");
}

TEST(JsonReader, RefusesFloatingPointNumbersOutOfRange) {
  EXPECT_EQ(error_of<float>("1e39"), "column 1: expected float, found 1e39, which is out of range");
  EXPECT_EQ(error_of<float>("-1e300"),
            "column 1: expected float, found -1e300, which is out of range");
  EXPECT_EQ(error_of<double>("1e999"),
            "column 1: expected double, found 1e999, which is out of range");
  EXPECT_EQ(error_of<double>("1.e5"), "column 1: expected double, found 1.e5");
}

TEST(JsonReader, ReadsNumbersThatAreTooSmallAsZero) {
  EXPECT_EQ(*read<double>("1e-400"), 0.0);
  EXPECT_EQ(*read<double>("4e-320"), 4e-320);
  EXPECT_EQ(*read<float>("1e-60"), 0.0F);
}

struct Maybe {
  std::optional<double> d;
};

TEST(JsonReader, TakesNothingButNullForNull) {
  EXPECT_FALSE(read<Maybe>(R"({"d": null })")->d);
  EXPECT_EQ(error_of<Maybe>(R"({"d":nope})"), "column 6: field 'd': expected double, found nope");
  EXPECT_NE(error_of<Maybe>(R"({"d":nul})"), "no error");
  EXPECT_NE(error_of<Maybe>(R"({"d":nullx})"), "no error");
}

TEST(JsonReader, IgnoresUnknownKeysOfAnyValue) {
  for (const std::string_view value :
       {"true", "false", "null", "0", "-0.5", "1e999", "123456789012345678901234567890", "\"\\n\"",
        "{}", "[]", R"({"a":[1,{"b":null}],"c":"d"})", " [ 1 , 2 ] "}) {
    const std::string text = concat("{\"x\":", value, ",\"d\":1.5}");
    EXPECT_EQ(error_of<Maybe>(text), "no error") << text;
    EXPECT_EQ(read<Maybe>(text)->d, 1.5) << text;
  }
}

TEST(JsonReader, RefusesUnknownKeysWhoseValuesAreNoJson) {
  EXPECT_EQ(error_of<Maybe>(R"({"x":tru,"d":1})"),
            "column 6: field 'x': expected a JSON value, found 'tru'");
  EXPECT_EQ(error_of<Maybe>(R"({"x":{"y":[0,01]},"d":1})"),
            "column 14: field 'x.y[1]': expected a JSON value, found '01'");
  for (const std::string_view value : {R"({"a":1])", R"([1})", "-", "1.", "1e", "+1", "nope", "1x",
                                       R"("\x")", R"({"a"})", "[1 2]", "[,]"}) {
    const std::string text = concat("{\"x\":", value, ",\"d\":1.5}");
    EXPECT_FALSE(read<Maybe>(text)) << text;
  }
  EXPECT_FALSE(
      read<Maybe>(concat(R"({"x":)", std::string(1'000, '['), std::string(1'000, ']'), '}')));
}

TEST(JsonReader, SuggestsTheNameOfAnEnumerator) {
  EXPECT_EQ(error_of<Color>(R"("kGren")"),
            "column 1: expected the name of a Color, found 'kGren'; did you mean 'kGreen'?");
}

TEST(JsonReader, RefusesWhatAContainerCannotHold) {
  EXPECT_EQ((error_of<std::array<int, 2>>("[1]")), "column 1: expected 2 elements, found 1");
  EXPECT_EQ((error_of<std::array<int, 2>>("[1,2,3]")), "column 1: expected 2 elements, found 3");
  EXPECT_EQ((error_of<std::pair<int, int>>("[1]")), "column 1: expected 2 elements, found 1");
  EXPECT_EQ((error_of<std::map<std::string, int>>(R"({"a":1,"a":2})")),
            "column 12: the key 'a' twice");
  EXPECT_EQ(
      (error_of<std::variant<int, bool>>(R"({"string":1})")),
      "column 1: expected an object with the name of an alternative as its only key, found the "
      "key 'string'");
  EXPECT_NE((error_of<std::variant<int, bool>>("{}")), "no error");
  EXPECT_NE((error_of<std::map<int, int>>("[[1]]")), "no error");
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"", " ", "{", "}", "{\"account\"", "{\"account\":\"a}",
                                      "{\"account\":\"a\",}", "{\"account\":\"a\" \"cents\":1}",
                                      "nul", "{\"account\":\"\\x\"}", "{\"account\":\"\xff\"}"}) {
    EXPECT_FALSE(read<Payment>(text)) << text;
  }
}

TEST(JsonReader, RefusesTextAfterTheValue) {
  EXPECT_EQ(error_of<int>("1 2").substr(0, 27), "column 3: this is not JSON:");
  EXPECT_NE(error_of<int>("1,2"), "no error");
  EXPECT_NE(error_of<int>("1]"), "no error");
  EXPECT_NE(error_of<int>("1] ["), "no error");
  EXPECT_NE(error_of<Payment>(R"({"account":"a","cents":1,"at":1}})"), "no error");
}

TEST(JsonReader, RefusesTextThatNestsTooDeep) {
  std::string text = R"({"id":1,"children":[)";
  for (int i = 0; i < 12; ++i) text += text;
  EXPECT_FALSE(read<Tree>(text));
  EXPECT_FALSE(read<Tree>(std::string(100'000, '[')));
}

TEST(JsonReader, ReadsOnAfterAnError) {
  JsonReader reader;
  int value = 0;
  EXPECT_FALSE(reader.read("x", value));
  EXPECT_TRUE(reader.read("5", value));
  EXPECT_EQ(value, 5);
}

TEST(JsonReader, SurvivesMutationsOfText) {
  std::string valid;
  detail::append_json(valid, kitchen_sinks(4)[3]);
  std::mt19937 random(7);
  JsonReader reader;
  KitchenSink sink;
  for (int i = 0; i < 3'000; ++i) {
    std::string text = valid;
    for (int n = 0; n < 3; ++n) {
      const std::size_t at = random() % text.size();
      text[at] = R"({}[],:"\0-e. nt)"[random() % 15];
      if (random() % 4 == 0) text.resize(at + 1);
    }
    (void)reader.read(text, sink);
  }
}

}  // namespace
}  // namespace millrace
