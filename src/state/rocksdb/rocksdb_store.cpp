#include "millrace/state/rocksdb/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/sst_file_writer.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <system_error>
#include <utility>

#include "millrace/core/check.h"
#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/core/text.h"
#include "millrace/state/rocksdb/rocksdb_error.h"
#include "millrace/state/rocksdb/rocksdb_scan.h"

namespace millrace::detail {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSortedFile = ".sst";
constexpr std::size_t kKeysAtOnce = 256;  // whose blocks are held in memory together
constexpr std::size_t kKeysOfPart = 32;   // that one thread reads
constexpr std::size_t kHelpers = 3;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

// The database removes no file while it lives.
class HeldFiles {
 public:
  explicit HeldFiles(rocksdb::DB& database)
      : database_(database), status_(database.DisableFileDeletions()) {}
  HeldFiles(const HeldFiles&) = delete;
  HeldFiles& operator=(const HeldFiles&) = delete;
  ~HeldFiles() {
    if (status_.ok()) database_.EnableFileDeletions(false).PermitUncheckedError();
  }

  const rocksdb::Status& status() const { return status_; }

 private:
  rocksdb::DB& database_;
  const rocksdb::Status status_;
};

bool copy_beginning(const fs::path& from, std::uint64_t bytes, const fs::path& to) {
  std::string content(bytes, '\0');
  std::ifstream in(from, std::ios::binary);
  in.read(content.data(), static_cast<std::streamsize>(bytes));
  std::ofstream out(to, std::ios::binary);
  out << content;
  out.close();
  return in.good() && out.good();
}

bool write_text(const fs::path& file, std::string_view content) {
  std::ofstream out(file, std::ios::binary);
  out << content;
  out.close();
  return out.good();
}

// Hard links to what never changes, and the rest as it is now. Not by rocksdb::Checkpoint: that
// lists logs, of which there are none, and up to RocksDB 10.7 it then waits at times for a signal
// that nobody gives (facebook/rocksdb#14069).
Status link_files(rocksdb::DB& database, const fs::path& folder) {
  constexpr std::string_view kManifest = "MANIFEST-";
  constexpr std::string_view kCurrent = "CURRENT";
  const std::string what = concat("cannot take a checkpoint to ", in_quotes(folder.native()));
  const HeldFiles held(database);
  if (!held.status().ok()) return to_error(held.status(), what);
  std::vector<std::string> names;  // each behind a slash
  std::uint64_t manifest_bytes = 0;
  const rocksdb::Status found = database.GetLiveFiles(names, &manifest_bytes, false);
  if (!found.ok()) return to_error(found, what);
  std::error_code error;
  fs::create_directory(folder, error);
  for (std::size_t i = 0; i < names.size() && !error; ++i) {
    const std::string name = names[i].substr(1);
    const fs::path from = fs::path(database.GetName()) / name;
    errno = 0;
    bool well = true;
    if (name.starts_with(kManifest)) {
      well = copy_beginning(from, manifest_bytes, folder / name) &&
             write_text(folder / kCurrent, name + '\n');
    } else if (name != kCurrent) {
      fs::create_hard_link(from, folder / name, error);
    }
    if (!well) error = std::error_code(errno != 0 ? errno : EIO, std::generic_category());
  }
  return error ? unavailable(concat(what, ": ", error.message(), "; check the disk")) : Status();
}

Result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) {
    return unavailable(concat("cannot list ", in_quotes(folder.native()), ": ", error.message(),
                              "; check the disk"));
  }
  std::ranges::sort(names);
  return names;
}

std::map<std::string, FileChecksum, std::less<>> checksums_of(std::span<const StoredFile> files) {
  std::map<std::string, FileChecksum, std::less<>> checksums;
  for (const StoredFile& file : files) {
    if (is_sorted_file(file.name)) checksums.emplace(file.name, file.checksum);
  }
  return checksums;
}

// Merging stands back where tasks want the processor, and still gets a tenth of it: a database
// whose files are never merged would hold up its writer, and so checkpoints.
void stand_back() {
  constexpr int kNicer = 10;
  thread_local const int niceness = ::nice(kNicer);  // of this thread alone, in Linux
  (void)niceness;
}

}  // namespace

bool is_sorted_file(std::string_view name) { return name.ends_with(kSortedFile); }

// Lets the writer wait for compactions, and knows when one has failed: the database then takes
// nothing more, until it has recovered. Where only room was missing it does so by itself.
class CompactionWatch final : public rocksdb::EventListener {
 public:
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { stand_back(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override {
    const std::lock_guard lock(mutex_);
    ++completed_;
    changed_.notify_all();
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    if (!failed_) failure_ = *status;
    failed_ = true;
    ++failures_;
    changed_.notify_all();
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    const std::lock_guard lock(mutex_);
    if (info.new_bg_error.ok()) failed_ = false;
  }

  // Waits as long as full() holds after every compaction. One that fails meanwhile ends the wait,
  // though the database may have recovered since and be about to try again.
  template <class Full>
  rocksdb::Status wait_while(const Full& full) {
    std::unique_lock lock(mutex_);
    const std::uint64_t failures = failures_;
    for (;;) {
      const std::uint64_t seen = completed_;
      lock.unlock();  // full() takes locks of RocksDB, which may hold them when it calls us
      const bool wait = full();
      lock.lock();
      if (failed_ || (wait && failures_ != failures)) return failure_;
      if (!wait) return {};
      changed_.wait(lock, [&] { return completed_ != seen || failures_ != failures; });
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t completed_ = 0;
  std::uint64_t failures_ = 0;
  bool failed_ = false;      // and has not recovered
  rocksdb::Status failure_;  // the first since then
};

// Leaves out, wherever files are merged, what a test finds useless.
class UselessRows final : public rocksdb::CompactionFilterFactory {
 public:
  void set(std::function<RowTest()> make_test) {
    const std::lock_guard lock(mutex_);
    make_test_ = std::move(make_test);
  }
  bool has(std::string_view key, std::string_view value) {
    const std::lock_guard lock(mutex_);
    return make_test_ && make_test_()(key, value);
  }

  const char* Name() const override { return "millrace.useless-rows"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    const std::lock_guard lock(mutex_);
    return make_test_ ? std::make_unique<Merge>(make_test_()) : nullptr;
  }

 private:
  class Merge final : public rocksdb::CompactionFilter {
   public:
    explicit Merge(RowTest is_useless) : is_useless_(std::move(is_useless)) {}
    const char* Name() const override { return "millrace.useless-rows"; }
    bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
                bool*) const override {
      return is_useless_(view(key), view(value));
    }

   private:
    const RowTest is_useless_;
  };

  std::mutex mutex_;
  std::function<RowTest()> make_test_;
};

RocksDbStore::RocksDbStore(ScratchFolder folder, const RocksDbSettings& settings,
                           const RocksDbResources& resources)
    : folder_(std::move(folder)),
      settings_(settings),
      readers_(resources.readers),
      watch_(std::make_shared<CompactionWatch>()),
      useless_(std::make_shared<UselessRows>()),
      options_(std::make_unique<const rocksdb::Options>(
          make_options(settings, resources, watch_, useless_))) {}

void RocksDbStore::forget_useless(std::function<RowTest()> make_test) {
  useless_->set(std::move(make_test));
}

RocksDbStore::~RocksDbStore() = default;

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::open(ScratchFolder folder,
                                                         const RocksDbSettings& settings,
                                                         const RocksDbResources& resources,
                                                         std::span<const StoredFile> restored) {
  std::unique_ptr<RocksDbStore> store(new RocksDbStore(std::move(folder), settings, resources));
  store->own_files_.set(checksums_of(restored));
  const Status opened = store->open_database(!restored.empty());
  if (!opened) return opened.error();
  return store;
}

Status RocksDbStore::open_database(bool restored) {
  const std::string path = folder_.path();
  rocksdb::Options options = *options_;
  options.create_if_missing = !restored;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, path, &database);
  database_.reset(database);
  return to_status(opened, concat("cannot open the state database ", in_quotes(path)));
}

// By some threads: a disk answers many questions in the time of one.
Status RocksDbStore::get(std::span<const std::string_view> keys,
                         const std::function<void(std::size_t, std::string_view)>& found) {
  if (Status whole = check_whole(); !whole) return whole;
  const std::size_t most = std::min(keys.size(), kKeysAtOnce);
  std::vector<rocksdb::Slice> wanted(most);
  std::vector<rocksdb::PinnableSlice> values(most);
  std::vector<rocksdb::Status> statuses(most);
  for (std::size_t first = 0; first < keys.size(); first += most) {
    const auto some = keys.subspan(first, std::min(most, keys.size() - first));
    std::ranges::transform(some, wanted.begin(), slice);
    const auto read = [&](std::size_t part) {
      const std::size_t begin = part * kKeysOfPart;
      database_->MultiGet(rocksdb::ReadOptions(), database_->DefaultColumnFamily(),
                          std::min(kKeysOfPart, some.size() - begin), wanted.data() + begin,
                          values.data() + begin, statuses.data() + begin);
    };
    const std::size_t parts = (some.size() + kKeysOfPart - 1) / kKeysOfPart;
    share_work(parts, *readers_, kHelpers, read);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (statuses[i].ok()) found(first + i, view(values[i]));
      if (!statuses[i].ok() && !statuses[i].IsNotFound()) {
        return to_error(statuses[i], "cannot read state");
      }
      values[i].Reset();
    }
  }
  return {};
}

std::unique_ptr<StateScan> RocksDbStore::scan(std::string_view first, std::string_view end) {
  return scan_rows(*database_, first, end);
}

// What cannot be merged is refused before rows are added: who is refused brings them again. What
// fails behind them the next rows will meet.
Status RocksDbStore::ingest(std::span<const StateRow> rows) {
  if (rows.empty()) return {};
  if (Status whole = check_whole(); !whole) return whole;
  if (Status merged = wait_for_compaction(); !merged) return merged;
  const Result<ScratchFolder> scratch = make_scratch();
  if (!scratch) return scratch.error();
  std::vector<std::string> files;
  std::vector<StateRow> bounds;
  const Status written = write_files(rows, scratch->path(), files, bounds);
  if (!written) return written;
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.write_global_seqno = false;  // it would change the file, and so its checksum
  const rocksdb::Status ingested = database_->IngestExternalFile(files, options);
  if (!ingested.ok()) return to_error(ingested, "cannot add rows to the state database");
  Status found = check_found(bounds);
  if (found) (void)wait_for_compaction();
  return found;
}

// RocksDB reads a file's range from the file, and takes it for empty where that read fails: its
// rows would not be found, and nobody would know. Such a database is of no use any more.
Status RocksDbStore::check_found(std::span<const StateRow> bounds) {
  std::string value;
  for (const StateRow& row : bounds) {
    const rocksdb::Status got = database_->Get(rocksdb::ReadOptions(), slice(row.key), &value);
    const bool gone = row.value && got.IsNotFound() && useless_->has(row.key, *row.value);
    const bool right = row.value ? got.ok() && value == *row.value : got.IsNotFound();
    if (!right && !gone) damaged_.store(true, std::memory_order_release);
  }
  return check_whole();
}

Status RocksDbStore::check_whole() const {
  if (!damaged_.load(std::memory_order_acquire)) return {};
  return unavailable(concat("the state database ", in_quotes(folder_.path().native()),
                            " does not find rows that were just written to it: its disk fails; go "
                            "on from the last checkpoint on another"));
}

Result<ScratchFolder> RocksDbStore::make_scratch() {
  return ScratchFolder::make(folder_.path() / concat("scratch-", ++folders_));
}

Status RocksDbStore::write_files(std::span<const StateRow> rows, const fs::path& folder,
                                 std::vector<std::string>& files, std::vector<StateRow>& bounds) {
  while (!rows.empty()) {
    files.push_back(folder / concat(files.size(), kSortedFile));
    const Result<std::size_t> written = write_file(rows, files.back());
    if (!written) return written.error();
    bounds.push_back(rows.front());
    bounds.push_back(rows[*written - 1]);
    rows = rows.subspan(*written);
  }
  return {};
}

// Returns how many of the rows it took.
Result<std::size_t> RocksDbStore::write_file(std::span<const StateRow> rows,
                                             const std::string& file) {
  // What was just written is read and uploaded soon: it stays in the system's cache.
  constexpr bool kForgetPages = false;
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), *options_, nullptr, kForgetPages);
  rocksdb::Status status = writer.Open(file);
  std::size_t written = 0;
  while (status.ok() && written < rows.size() && writer.FileSize() < settings_.file_bytes) {
    const StateRow& row = rows[written++];
    status =
        row.value ? writer.Put(slice(row.key), slice(*row.value)) : writer.Delete(slice(row.key));
  }
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return to_error(status, concat("cannot write rows to ", in_quotes(file)));
  return written;
}

Status RocksDbStore::wait_for_compaction() {
  return to_status(watch_->wait_while([&] { return files_in_level0() > settings_.level0_bound; }),
                   "the state database can no longer merge its files");
}

int RocksDbStore::files_in_level0() const {
  std::string count;
  database_->GetProperty(rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0", &count);
  return std::stoi(count);
}

// Holds hard links in a folder of the database's.
class RocksDbStore::Upload final : public StateUpload {
 public:
  Upload(ScratchFolder scratch, UploadTarget target, OwnFiles& own)
      : scratch_(std::move(scratch)), target_(std::move(target)), own_(own) {}

  Status link(rocksdb::DB& database) {
    const Status linked = link_files(database, folder());
    if (!linked) return linked;
    Result<std::vector<std::string>> names = names_in(folder());
    if (!names) return names.error();
    names_ = *std::move(names);
    return {};
  }

  Result<bool> step() override {
    while (files_.size() < names_.size()) {
      const std::string& name = names_[files_.size()];
      if (const StoredFile* const known = own_.find_in(target_.base, name)) {
        files_.push_back(*known);
        continue;
      }
      Result<StoredFile> stored = target_.into.put_file(target_.name, name, folder() / name);
      if (!stored) return stored.error().with_context("uploading state");
      pass(FailPoint::kFileUploaded);
      files_.push_back(*std::move(stored));
      return true;
    }
    return false;
  }

  std::vector<StoredFile> take_files() override {
    own_.set(checksums_of(files_));
    return std::move(files_);
  }

 private:
  fs::path folder() const { return scratch_.path() / "files"; }

  const ScratchFolder scratch_;
  const UploadTarget target_;
  OwnFiles& own_;
  std::vector<std::string> names_;
  std::vector<StoredFile> files_;  // of the first so many names
};

Result<std::unique_ptr<StateUpload>> RocksDbStore::begin_upload(UploadTarget target) {
  if (Status whole = check_whole(); !whole) return whole.error();
  Result<ScratchFolder> scratch = make_scratch();
  if (!scratch) return scratch.error();
  auto upload = std::make_unique<Upload>(*std::move(scratch), std::move(target), own_files_);
  const Status linked = upload->link(*database_);
  if (!linked) return linked.error();
  return std::unique_ptr<StateUpload>(std::move(upload));
}

void RocksDbStore::OwnFiles::set(Checksums checksums) {
  const std::lock_guard lock(mutex_);
  checksums_ = std::move(checksums);
}

const StoredFile* RocksDbStore::OwnFiles::find_in(std::span<const StoredFile> base,
                                                  const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto own = checksums_.find(name);
  const bool any = is_mutant(Mutant::kReuseFileName);
  if (own == checksums_.end() && !any) return nullptr;
  const auto same = std::ranges::find_if(base, [&](const StoredFile& file) {
    return file.name == name && (any || file.checksum == own->second);
  });
  return same == base.end() ? nullptr : &*same;
}

}  // namespace millrace::detail
