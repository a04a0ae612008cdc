// The state tool over savepoints and checkpoints of a job with every kind of state.
#include "millrace/tools/state_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "integration/savepoint_job.h"
#include "millrace/state/checkpoint_format.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::Backend;
using test_support::Home;
using test_support::Numbers;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

constexpr std::int64_t kEnd = 500;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome state(std::vector<std::string> words) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_state_command(words, out, err);
  return {code, out.str(), err.str()};
}

class StateCommandTest : public testing::Test {
 protected:
  using Change = std::function<void(detail::KeyedSnapshot&)>;

  // A savepoint of the job when it has taken in so much, and its last checkpoint.
  void save(const std::string& name, Backend backend, std::uint32_t parallelism,
            std::int64_t end = kEnd) {
    Home home(path(name + "-home"), backend);
    const auto emitted = std::make_shared<std::atomic<std::int64_t>>(0);
    std::vector<test_support::Seen> seen;
    const JobFunction function = [&](Job& job) {
      job.from(source<Numbers>(Numbers::Until{end, true, emitted}))
          .named("numbers")
          .event_time(&test_support::Event::at, out_of_order_by(0ms))
          .key_by(&test_support::Event::key)
          .process<test_support::Everything>()
          .named("everything")
          .to(collect(seen))
          .named("seen");
    };
    auto planned =
        test_support::plan_job(function, {.parallelism = parallelism, .mode = Mode::kStreaming});
    ASSERT_TRUE(planned);
    auto running =
        home.cluster().start(std::move(planned->plan), std::move(planned->code), home.settings());
    ASSERT_TRUE(running);
    while (*emitted < end) std::this_thread::sleep_for(1ms);
    const Status taken = take_savepoint(**running, {path(name), detail::AfterSavepoint::kStop});
    EXPECT_TRUE(taken) << taken.error().message();
    EXPECT_TRUE((*running)->result());
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  std::string rows_file(const std::string& name) const {
    for (const auto& entry : fs::directory_iterator(path(name))) {
      if (entry.path().filename().native().starts_with("rows-")) return entry.path();
    }
    return {};
  }

  // Has the metadata of a savepoint, or of the one checkpoint in a folder, say something else.
  void change(const std::string& name, const Change& change) const {
    std::string file = name + "/_metadata";
    for (const std::string& inside : directory_.names(name)) {
      if (inside.starts_with("chk-")) file = name + '/' + inside + "/_metadata";
    }
    const std::string bytes = directory_.read(file);
    const bool is_savepoint = detail::is_savepoint(bytes);
    auto metadata = is_savepoint ? detail::decode_savepoint(bytes, file)
                                 : detail::decode_checkpoint(bytes, file);
    ASSERT_TRUE(metadata) << metadata.error().message();
    for (detail::TaskSnapshot& task : metadata->tasks) {
      for (detail::OperatorSnapshot& snapshot : task.operators) {
        for (detail::KeyedSnapshot& keyed : snapshot.keyed) change(keyed);
      }
    }
    directory_.file(file, *(is_savepoint ? detail::encode_savepoint(*metadata)
                                         : detail::encode_checkpoint(*metadata)));
  }

  test::TemporaryDirectory directory_;
};

TEST_F(StateCommandTest, ListsOperatorsAndTheirStates) {
  save("save", Backend::kRocksDb, 2);
  const Outcome outcome = state({"ls", path("save")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(StartsWith("savepoint of job 'test'\n"), HasSubstr("operator everything  "),
                    HasSubstr("  x2 of 128\n"),
                    HasSubstr("  value count  int64 -> int64  50 keys, 50 rows, "),
                    HasSubstr("  list list  int64 -> Chunk{values:list<int64>"),
                    HasSubstr("  map map  int64 string -> "), HasSubstr("  50 keys, 150 rows, "),
                    HasSubstr("  timers event-timers  int64 timestamp -> "),
                    HasSubstr("  piece next  int64  1 element, 8 bytes\n")));
}

TEST_F(StateCommandTest, ListsTheSameOfACheckpoint) {
  save("save", Backend::kRocksDb, 2);
  const Outcome of_savepoint = state({"ls", path("save")});
  const Outcome of_checkpoint = state({"ls", path("save-home")});
  EXPECT_EQ(of_checkpoint.code, 0) << of_checkpoint.err;
  const auto without_first_word = [](const std::string& text) {
    return text.substr(text.find(' '));
  };
  EXPECT_EQ(without_first_word(of_checkpoint.out), without_first_word(of_savepoint.out));
}

TEST_F(StateCommandTest, GetsWhatAKeyHas) {
  save("save", Backend::kRocksDb, 3);
  for (const std::string& snapshot : {path("save"), path("save-home")}) {
    const auto get = [&](const std::string& name, const std::string& key) {
      const Outcome outcome = state({"get", snapshot, "everything", name, key});
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      return outcome.out;
    };
    EXPECT_EQ(get("count", "7"), "10\n");
    EXPECT_EQ(get("list", "0"), "[0,50,100,150,200,250,300,350,400,450]\n");
    EXPECT_EQ(get("map", "0"), "{\"0\":4,\"1\":3,\"2\":3}\n");
    EXPECT_EQ(get("most", "0"), "{\"number\":450}\n");
    EXPECT_EQ(get("event-timers", "7"), "[\"1970-01-01T00:16:40.007Z\"]\n");
  }
}

TEST_F(StateCommandTest, SaysWhatItDoesNotFind) {
  save("save", Backend::kMemory, 1);
  const auto get = [&](const std::string& of, const std::string& name, const std::string& key) {
    const Outcome outcome = state({"get", path("save"), of, name, key});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.out, IsEmpty());
    return outcome.err;
  };
  EXPECT_THAT(get("everyone", "count", "7"),
              AllOf(HasSubstr("no operator 'everyone'; it has "), HasSubstr("'everything'")));
  EXPECT_THAT(get("everything", "counts", "7"), HasSubstr("'count'"));
  EXPECT_THAT(get("numbers", "count", "7"), HasSubstr("it has none"));
  EXPECT_THAT(get("everything", "count", "77"), HasSubstr("has nothing for the key '77'"));
  EXPECT_THAT(get("everything", "count", "seven"), HasSubstr("whose keys are int64"));
}

TEST_F(StateCommandTest, FindsNoDifferenceWhateverBackendAndParallelismWere) {
  save("one", Backend::kMemory, 1);
  save("three", Backend::kRocksDb, 3);
  for (const char* other : {"three", "three-home", "one-home"}) {
    const Outcome outcome = state({"diff", path("one"), path(other)});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, IsEmpty()) << other;
  }
}

TEST_F(StateCommandTest, ShowsWhatWasAddedRemovedAndChanged) {
  save("before", Backend::kMemory, 1, 2);  // keys 0 and 7
  save("now", Backend::kRocksDb, 2, 3);    // and 14
  const Outcome outcome = state({"diff", path("before"), path("now")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("+ everything/count 14: 1\n"), HasSubstr("+ everything/map 14[\"2\"]: "),
            HasSubstr("+ everything/event-timers 14[\"1970-01-01T00:16:40.014Z\"]: {}\n"),
            HasSubstr("5 added, 0 removed, 0 changed\n")));
  const Outcome back = state({"diff", path("now"), path("before")});
  EXPECT_THAT(back.out, AllOf(HasSubstr("- everything/count 14: 1\n"),
                              HasSubstr("0 added, 5 removed, 0 changed\n")));
  save("later", Backend::kMemory, 1, 51);  // key 0 again
  EXPECT_THAT(state({"diff", path("now"), path("later")}).out,
              HasSubstr("* everything/count 0: 1 -> 2\n"));
}

TEST_F(StateCommandTest, VerifiesThatAllIsWell) {
  save("save", Backend::kRocksDb, 3);
  for (const std::string& snapshot : {path("save"), path("save-home")}) {
    const Outcome outcome = state({"verify", snapshot});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(StartsWith("well: "), HasSubstr(" rows\n")));
  }
}

TEST_F(StateCommandTest, NamesEachFileThatIsDamaged) {
  save("save", Backend::kMemory, 2);
  const std::string rows = rows_file("save");
  {
    std::fstream file(rows, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file.put('\x7f');
  }
  const Outcome flipped = state({"verify", path("save")});
  EXPECT_EQ(flipped.code, 1);
  EXPECT_THAT(flipped.out, AllOf(HasSubstr(fs::path(rows).filename()), HasSubstr("bytes 12 to ")));
  fs::remove(rows);
  EXPECT_THAT(state({"verify", path("save")}).out, HasSubstr("is missing"));
  EXPECT_EQ(state({"ls", path("save")}).code, 1);
}

TEST_F(StateCommandTest, NamesADamagedFileOfACheckpoint) {
  save("save", Backend::kRocksDb, 1);
  for (const auto& entry : fs::directory_iterator(path("save-home/shared"))) {
    if (entry.file_size() < 1'000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    file.put('\x7f');
  }
  const Outcome outcome = state({"verify", path("save-home")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("differs from what was written"));
}

// As a struct of it the same bytes are a key of another hash.
TEST_F(StateCommandTest, NamesARowThatLiesWhereItsKeysHashIsNot) {
  save("save", Backend::kMemory, 2);
  change("save", [](detail::KeyedSnapshot& keyed) {
    for (detail::StateDescription& state : keyed.states) {
      if (state.name == "count") state.key_schema = "Key{number:int64}";
    }
  });
  const Outcome outcome = state({"verify", path("save")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(StartsWith("everything/count: state 'count': the row of key {"),
                                 HasSubstr("} lies where another key's hash is\n")));
}

TEST_F(StateCommandTest, NamesARowThatLiesWithOtherKeyGroups) {
  save("save", Backend::kMemory, 2);
  change("save", [](detail::KeyedSnapshot& keyed) {
    keyed.first_group = keyed.first_group == 0 ? 64 : 0;
    keyed.last_group = keyed.first_group + 63;
  });
  const Outcome outcome = state({"verify", path("save")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("everything/count: the row of key "),
                                 HasSubstr(", and lies with the groups 0 to 63\n")));
}

TEST_F(StateCommandTest, VerifiesALargeFileInPieces) {
  constexpr std::uint64_t kLarge = 256 << 20;
  save("save", Backend::kRocksDb, 1);
  change("save-home", [&](detail::KeyedSnapshot& keyed) {
    keyed.files.front().bytes = kLarge;
    fs::resize_file(path("save-home/" + keyed.files.front().path), kLarge);
  });
  const auto most_memory = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  };
  const std::uint64_t before = most_memory();
  EXPECT_THAT(state({"verify", path("save-home")}).out, HasSubstr("differs from what was written"));
  EXPECT_LT(most_memory() - before, kLarge / 4);
}

TEST_F(StateCommandTest, LeavesNothingBehindAndChangesNothing) {
  save("save", Backend::kRocksDb, 2);
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path("save-home"))) {
      found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  };
  const auto before = names();
  EXPECT_EQ(state({"verify", path("save-home")}).code, 0);
  EXPECT_EQ(names(), before);
}

TEST(StateCommand, PrintsHelp) {
  const Outcome outcome = state({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("verify PATH"), HasSubstr("Exit codes")));
}

TEST(StateCommand, SaysHowItIsUsed) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"list"}, {"ls"}, {"ls", "a", "b"}, {"get", "a", "b", "c"}, {"diff", "a"}}) {
    const Outcome outcome = state(words);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("try: millrace state --help"));
  }
  EXPECT_THAT(state({"ls", "a", "b"}).err, HasSubstr("ls takes 1 words, not 2"));
}

TEST(StateCommand, SaysThatAPathIsNoSnapshot) {
  const Outcome outcome = state({"ls", "/nowhere"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, StartsWith("millrace state: '/nowhere' is no savepoint"));
}

}  // namespace
}  // namespace millrace
