// A checkpoint of a real job with its state in RocksDB, damaged: each byte flipped, files
// truncated, missing, exchanged and from another job. All is refused before a task has begun, in
// words that name the file and where in it; what is not damaged is gone on from exactly.
//
//   FAULT_EVERY_BYTE=1   each byte under a process of its own (scripts/campaign --sweep);
//                        otherwise a few of each file
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "faults/subjects.h"
#include "millrace/coordination/local_metadata_store.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/files/checkpoint_names.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t kSmall =
    8 << 10;                       // bytes of a file of which each is flipped; of others every
constexpr std::size_t kStep = 61;  // so many
constexpr int kMostStarts = 20;

bool every_byte() { return std::getenv("FAULT_EVERY_BYTE") != nullptr; }

// From byte to byte, while it lives.
class Flipped {
 public:
  Flipped(const fs::path& file, std::size_t at)
      : file_(open(file.c_str(), O_RDWR | O_CLOEXEC)), at_(static_cast<off_t>(at)) {
    flip();
  }
  Flipped(const Flipped&) = delete;
  Flipped& operator=(const Flipped&) = delete;
  ~Flipped() {
    flip();
    close(file_);
  }

 private:
  void flip() const {
    char byte = 0;
    EXPECT_EQ(pread(file_, &byte, 1, at_), 1);
    byte = static_cast<char>(byte ^ 1 << at_ % 8);
    EXPECT_EQ(pwrite(file_, &byte, 1, at_), 1);
  }

  const int file_;
  const off_t at_;
};

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    for (int start = 0; start < kMostStarts && !is_enough() && !HasFailure(); ++start) {
      leave_checkpoint("witnessed", pattern_.seed, state());
      if (!HasFailure()) find_files();
    }
    ASSERT_TRUE(is_enough()) << "there is no such checkpoint";
    said_shown_ = shown();
  }

  // The checkpoint has what is to be damaged.
  virtual bool is_enough() const { return shared_.size() >= 4; }

  void find_files() {
    const auto record = detail::LocalMetadataStore(files_, state()).read("witnessed");
    ASSERT_TRUE(record && *record && !(*record)->completed.empty());
    checkpoint_ = (*record)->completed.back();
    detail::DirectoryCheckpointStore store(files_, state());
    const auto metadata = detail::read_checkpoint(store, checkpoint_);
    ASSERT_TRUE(metadata) << metadata.error().message();
    shared_.clear();
    in_flight_.clear();
    for (const auto& task : metadata->tasks) {
      in_flight_.insert(in_flight_.end(), task.in_flight.begin(), task.in_flight.end());
      for (const auto& snapshot : task.operators) {
        for (const auto& keyed : snapshot.keyed) {
          shared_.insert(shared_.end(), keyed.files.begin(), keyed.files.end());
        }
      }
    }
  }

  Command command(const std::string& job, std::uint64_t seed, const fs::path& state,
                  const fs::path& output) const {
    Command command{
        .words = {FAULTY_JOB, job, concat("--seed=", seed),
                  concat("--partitions=", pattern_.partitions),
                  concat("--rounds=", pattern_.rounds), concat("--keys=", pattern_.keys),
                  "--state-memory=64KiB", concat("--checkpoint-dir=", state.native()),
                  concat("--output=", output.native()), "--checkpoint-interval=5ms",
                  "--restore=latest"},
        .variables = {},
        .output = root() / "said"};
    command.words.insert(command.words.end(), pace_.begin(), pace_.end());
    return command;
  }
  // Of a process that is killed behind its third one, be there state in it or not.
  void leave_checkpoint(const std::string& job, std::uint64_t seed, const fs::path& state) {
    const fs::path output = seed == pattern_.seed ? root() / "shown" : root() / "shown-by-another";
    Command killed = command(job, seed, state, output);
    killed.variables["FAULT_POINT"] = "pointer-swapped:3";
    const std::optional<Exit> exit = ChildProcess(killed).wait_for(60s);
    ASSERT_TRUE(exit && exit->signal == SIGKILL) << content_of(killed.output);
  }

  std::vector<std::string> shown() const {
    const auto lines = test::shown_lines(root() / "shown" / test::kSightingsFolder);
    return lines ? *lines : std::vector<std::string>();
  }

  fs::path metadata_path() const { return state() / to_string(checkpoint_) / "_metadata"; }
  fs::path record_path() const { return state() / "job-witnessed"; }

  // What a process says that shall go on from what is there, which it must refuse. It may not
  // change what is there for others.
  std::string refusal() {
    const fs::path copy = root() / "copy";
    fs::copy(state(), copy, fs::copy_options::recursive);
    const Command next = command("witnessed", pattern_.seed, copy, root() / "shown");
    const std::optional<Exit> exit = ChildProcess(next).wait_for(60s);
    fs::remove_all(copy);
    EXPECT_TRUE(exit && exit->signal == 0 && exit->status == 1) << content_of(next.output);
    if (!others_commit_) {
      EXPECT_EQ(shown(), said_shown_) << "it has begun";
    }
    return content_of(next.output);
  }

  // A file of other content: the name of a file begins with its checksum.
  static fs::path another_than(const detail::StoredFile& file, const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().native();
      if (!name.starts_with(to_string(file.checksum))) return entry.path();
    }
    throw std::runtime_error("there is no other file");
  }

  // Every byte of small files, or a few.
  template <class Try>
  std::size_t flip_each(const fs::path& file, std::size_t few, Try try_it) {
    const std::size_t size = fs::file_size(file);
    const std::size_t step = every_byte()     ? 1
                             : few > 0        ? std::max<std::size_t>(1, size / few)
                             : size <= kSmall ? 1
                                              : kStep;
    std::size_t tried = 0;
    for (std::size_t at = 0; at < size && !HasFailure(); at += step, ++tried) {
      SCOPED_TRACE(concat("byte ", at, " of ", file.native()));
      const Flipped flipped(file, at);
      try_it();
    }
    return tried;
  }

  fs::path root() const { return directory_.path(); }
  fs::path state() const { return root() / "state"; }

  test::EventPattern pattern_{.seed = 3, .partitions = 2, .rounds = 16, .keys = 64};
  std::vector<std::string> pace_{"--burst=64", "--pause=10000", "--parallelism=1"};
  test::TemporaryDirectory directory_{fast_folder()};
  detail::RealFileSystem files_;
  detail::CheckpointName checkpoint_;
  std::vector<detail::StoredFile> shared_;
  std::vector<detail::StoredFile> in_flight_;
  std::vector<std::string> said_shown_;
  bool others_commit_ = false;  // tasks that find nothing wrong show what the checkpoint covers
};

const auto kWhere = ContainsRegex("byte(s [0-9]+ to)? [0-9]+");

TEST_F(Damage, OfEachByteIsFound) {
  detail::DirectoryCheckpointStore store(files_, state());
  std::size_t flips = flip_each(record_path(), 0, [&] {
    const auto record = detail::LocalMetadataStore(files_, state()).read("witnessed");
    ASSERT_FALSE(record);
    EXPECT_THAT(record.error().message(), AllOf(HasSubstr(record_path().native()), kWhere));
  });
  flips += flip_each(metadata_path(), 0, [&] {
    const auto metadata = detail::read_checkpoint(store, checkpoint_);
    ASSERT_FALSE(metadata);
    EXPECT_THAT(metadata.error().message(),
                AllOf(HasSubstr(concat(to_string(checkpoint_), "/_metadata")), kWhere));
  });
  for (const detail::StoredFile& file : shared_) {
    flips += flip_each(state() / file.path, 0, [&] {
      const Status fetched = store.fetch_file(file, root() / "fetched");
      ASSERT_FALSE(fetched);
      EXPECT_FALSE(fs::exists(root() / "fetched"));
      EXPECT_THAT(fetched.error().message(),
                  AllOf(HasSubstr(file.path), HasSubstr(file.name), kWhere));
    });
  }
  std::cout << flips << " flips in " << shared_.size() + 2 << " files\n";
}

TEST_F(Damage, IsRefusedBeforeAnyTaskBegins) {
  constexpr std::size_t kFew = 8;
  std::size_t flips = 0;
  const auto expect_refused = [&](const fs::path& file, const std::string& name) {
    flips += flip_each(file, kFew, [&] { EXPECT_THAT(refusal(), AllOf(HasSubstr(name), kWhere)); });
  };
  expect_refused(record_path(), "job-witnessed");
  expect_refused(metadata_path(), concat(to_string(checkpoint_), "/_metadata"));
  for (const detail::StoredFile& file : shared_) expect_refused(state() / file.path, file.path);
  std::cout << flips << " processes\n";
}

TEST_F(Damage, ByTruncationAndLossIsRefused) {
  std::vector<fs::path> paths{record_path(), metadata_path()};
  for (const detail::StoredFile& file : shared_) paths.push_back(state() / file.path);
  const fs::path aside = root() / "aside";
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path);
    const std::uintmax_t size = fs::file_size(path);
    fs::copy_file(path, aside, fs::copy_options::overwrite_existing);
    for (const std::uintmax_t rest : {size - 1, size / 2, std::uintmax_t{0}}) {
      fs::resize_file(path, rest);
      EXPECT_THAT(refusal(), AllOf(HasSubstr(path.filename().native()),
                                   HasSubstr(concat("truncated at byte ", rest, " of "))));
    }
    fs::remove(path);
    if (path != record_path()) {
      EXPECT_THAT(refusal(), AllOf(HasSubstr(path == metadata_path() ? to_string(checkpoint_)
                                                                     : path.filename().native()),
                                   AnyOf(HasSubstr("is missing"), HasSubstr("has no file"))));
    }
    fs::copy_file(aside, path);
  }
}

TEST_F(Damage, ByExchangedFilesIsRefused) {
  const fs::path first = state() / shared_[0].path;
  const fs::path second = state() / shared_[1].path;
  const fs::path aside = root() / "aside";
  const auto exchange = [&] {
    fs::rename(first, aside);
    fs::rename(second, first);
    fs::rename(aside, second);
  };
  exchange();
  EXPECT_THAT(refusal(), AnyOf(HasSubstr(shared_[0].path), HasSubstr(shared_[1].path)));
  exchange();
}

TEST_F(Damage, ByFilesOfAnotherJobIsRefused) {
  const fs::path other = root() / "other";
  const auto replace = [&](const fs::path& from, const fs::path& path) {
    const fs::path aside = root() / "aside";
    fs::rename(path, aside);
    fs::copy_file(from, path);
    const std::string said = refusal();
    fs::rename(aside, path);
    return said;
  };
  for (int start = 0; start < kMostStarts && !fs::exists(other / "shared"); ++start) {
    leave_checkpoint("evolving", 77, other);
  }
  EXPECT_THAT(replace(other / "job-evolving", record_path()),
              AllOf(HasSubstr("job-witnessed"), HasSubstr("is the record of job 'evolving'")));
  const auto record = detail::LocalMetadataStore(files_, other).read("evolving");
  ASSERT_TRUE(record && *record);
  const std::string name = to_string((*record)->completed.back());
  EXPECT_THAT(replace(other / name / "_metadata", metadata_path()),
              AllOf(HasSubstr(to_string(checkpoint_)), HasSubstr("of job 'evolving'")));
  for (const detail::StoredFile& file : shared_) {
    EXPECT_THAT(replace(another_than(file, other / "shared"), state() / file.path),
                HasSubstr(file.path));
  }
}

// Of a checkpoint whose barriers have overtaken records.
class DamageInFlight : public Damage {
 protected:
  DamageInFlight() {
    pattern_ = {.seed = 3, .partitions = 6, .rounds = 40, .keys = 2'048};
    others_commit_ = true;
    pace_ = {"--burst=4096", "--parallelism=3", "-D", "execution.checkpointing.aligned-timeout=0s"};
  }
  bool is_enough() const override { return !in_flight_.empty(); }
};

TEST_F(DamageInFlight, IsRefused) {
  const detail::StoredFile& file = in_flight_.front();
  flip_each(state() / file.path, 8,
            [&] { EXPECT_THAT(refusal(), AllOf(HasSubstr(file.path), kWhere)); });
  fs::resize_file(state() / file.path, file.bytes / 2);
  EXPECT_THAT(refusal(), HasSubstr(concat("truncated at byte ", file.bytes / 2, " of ")));
}

TEST_F(Damage, ThatIsMendedIsForgotten) {
  flip_each(metadata_path(), 1, [&] { refusal(); });
  const Command next = command("witnessed", pattern_.seed, state(), root() / "shown");
  const std::optional<Exit> exit = ChildProcess(next).wait_for(60s);
  ASSERT_TRUE(exit && exit->status == 0) << content_of(next.output);
  const Result<test::Verdict> verdict = test::judge(pattern_, root() / "shown");
  ASSERT_TRUE(verdict) << verdict.error().message();
  EXPECT_TRUE(verdict->clean()) << verdict->text();
}

}  // namespace
}  // namespace millrace::faults
