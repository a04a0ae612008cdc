// The power is cut at each call to the disk that a job's checkpoints make: what the job's pointer
// names afterwards is whole, and nothing that was confirmed is lost.
#include <gtest/gtest.h>

#include "millrace/coordination/local_metadata_store.h"
#include "millrace/core/text.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "support/fault_file_system.h"

namespace millrace::detail {
namespace {

using test::FaultFileSystem;
using test::MemoryFileSystem;

constexpr std::size_t kRetained = 2;

// Takes checkpoints one after the other, as a coordinator and its tasks do, and goes on from what
// it finds. Each has a file of its own, and refers to that of the one before.
class Job {
 public:
  explicit Job(FileSystem& files)
      : store_(files, "/data"), metadata_(files, "/data"), files_(files) {}

  Status recover() {
    const auto record = metadata_.read("job");
    if (!record) return record.error();
    record_ = record->value_or(JobRecord{});
    ++record_.epoch;
    last_ = {};
    for (const CheckpointName& name : record_.completed) {
      Status whole = check_whole(name);
      if (!whole) return whole;
    }
    return {};
  }

  Status take_checkpoint() {
    const CheckpointName name{.id = CheckpointId(record_.next_checkpoint), .epoch = record_.epoch};
    CheckpointMetadata metadata{.job = "job", .id = name.id.value(), .epoch = name.epoch};
    const Result<std::vector<StoredFile>> stored = store_files(name);
    if (!stored) return stored.error();
    metadata.tasks = {{.operators = {{.keyed = {{.files = *stored}}}}}};
    Status status = store_.write_metadata(name, *encode_checkpoint(metadata));
    if (status) status = swap_pointer(name);
    if (!status) return status;
    last_ = *stored;
    return remove_unused(name);
  }

  std::uint64_t newest() const {
    return record_.completed.empty() ? 0 : record_.completed.back().id.value();
  }

 private:
  Result<std::vector<StoredFile>> store_files(const CheckpointName& name) {
    const std::string local = concat("/local-", files_.unique_name());
    Status written = files_.write_file(local, concat("rows of ", to_string(name)));
    if (!written) return written.error();
    std::vector<StoredFile> stored;
    if (!last_.empty()) stored.push_back(last_.back());
    for (const Result<StoredFile>& file :
         {store_.put(name, "log", to_string(name)), store_.put_file(name, "rows", local)}) {
      if (!file) return file.error();
      stored.push_back(*file);
    }
    return stored;
  }

  Status swap_pointer(const CheckpointName& name) {
    JobRecord next = record_;
    next.next_checkpoint = name.id.value() + 1;
    next.completed.push_back(name);
    if (next.completed.size() > kRetained) next.completed.erase(next.completed.begin());
    const Result<JobRecord> written = metadata_.write("job", record_.version, next);
    if (!written) return written.error();
    record_ = *written;
    return {};
  }

  Status remove_unused(const CheckpointName& name) {
    std::set<std::string> kept;
    for (const CheckpointName& retained : record_.completed) {
      const Result<CheckpointMetadata> metadata = read_checkpoint(store_, retained);
      if (!metadata) return metadata.error();
      for (const StoredFile& file : metadata->tasks[0].operators[0].keyed[0].files) {
        kept.insert(file.path);
      }
    }
    return store_.remove_unused(name, {record_.completed.begin(), record_.completed.end()}, kept);
  }

  Status check_whole(const CheckpointName& name) {
    const Result<CheckpointMetadata> metadata = read_checkpoint(store_, name);
    if (!metadata) return metadata.error();
    last_ = metadata->tasks[0].operators[0].keyed[0].files;
    for (const StoredFile& file : last_) {
      const Result<std::string> bytes = store_.fetch(file);
      if (!bytes) return bytes.error();
    }
    return {};
  }

  DirectoryCheckpointStore store_;
  LocalMetadataStore metadata_;
  FileSystem& files_;
  JobRecord record_;
  std::vector<StoredFile> last_;
};

// Runs until the power goes, or four checkpoints are complete; returns the newest that it knows to
// be complete.
std::uint64_t run(FileSystem& files) {
  Job job(files);
  if (!job.recover()) return 0;
  for (int i = 0; i < 4; ++i) {
    if (!job.take_checkpoint()) break;
  }
  return job.newest();
}

// Cuts at the n-th call, and then a second run's too; false if the first made fewer calls.
bool survives(std::size_t n, Random& random) {
  MemoryFileSystem memory;
  EXPECT_TRUE(memory.make_directories("/"));
  FaultFileSystem files(memory);
  bool cut = true;
  std::uint64_t newest = 0;
  for (const std::size_t call : {n, n / 2 + 5}) {
    files.cut_power(call);
    const std::uint64_t confirmed = run(files);
    cut = cut && files.failed();
    memory.cut_power(random);
    Job job(memory);
    const Status recovered = job.recover();
    EXPECT_TRUE(recovered) << recovered.error().message();
    EXPECT_GE(job.newest(), confirmed);
    newest = job.newest();
  }
  EXPECT_EQ(run(memory), newest + 4) << "it does not go on";
  return cut;
}

TEST(PowerCut, LeavesWhatThePointerNamesWhole) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::size_t n = 1;
    while (survives(n, random) && !testing::Test::HasFailure()) ++n;
    EXPECT_GT(n, 80u) << "the sweep met too few calls";
  }
}

}  // namespace
}  // namespace millrace::detail
