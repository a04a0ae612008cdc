#include "millrace/state/state_writer.h"

#include <algorithm>
#include <set>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"

#include "millrace/state/savepoint/rows_export.h"

namespace millrace::detail {

StateWriter::StateWriter(const StateEnvironment& environment, std::string name)
    : stores_(*environment.stores),
      checkpoints_(environment.checkpoints),
      name_(std::move(name)),
      serial_(*environment.executor),
      uploads_(*environment.executor) {
  if (checkpoints_ != nullptr) checkpoints_->retain(this, {}, {});
}

StateWriter::~StateWriter() {
  if (checkpoints_ != nullptr) checkpoints_->forget(this);
}

void StateWriter::adopt(std::unique_ptr<StateStore> store, std::vector<StoredFile> base) {
  if (checkpoints_ != nullptr) checkpoints_->retain(this, {}, base);
  store_ = std::move(store);
  if (make_test_) store_->forget_useless(make_test_);
  base_ = std::move(base);
  readable_.store(store_.get(), std::memory_order_release);
}

void StateWriter::write(std::shared_ptr<const RowBuffer> rows, std::uint64_t batch) {
  serial_.execute([self = shared_from_this(), taken = Taken{std::move(rows), batch}] {
    self->unwritten_.push_back(taken);
    (void)self->write_all();  // a checkpoint will say it, or who waits for it
  });
}

std::optional<Error> StateWriter::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void StateWriter::try_again() {
  serial_.execute([self = shared_from_this()] { (void)self->write_all(); });
}

Status StateWriter::write_all() {
  Status written = write_waiting();
  std::lock_guard lock(mutex_);
  failure_ = written ? std::nullopt : std::optional(written.error());
  return written;
}

Status StateWriter::write_waiting() {
  if (!store_) {
    Result<std::unique_ptr<StateStore>> made = stores_.make(name_);
    if (!made) return made.error();
    store_ = *std::move(made);
    if (make_test_) store_->forget_useless(make_test_);
    readable_.store(store_.get(), std::memory_order_release);
  }
  while (!unwritten_.empty()) {
    Taken& next = unwritten_.front();
    const std::vector<StateRow> rows = next.rows->sorted();
    if (!rows.empty()) {
      Status ingested = store_->ingest(rows);
      if (!ingested) return ingested;
      pass(FailPoint::kFileIngested);
    }
    written_.store(next.batch, std::memory_order_release);
    unwritten_.pop_front();
  }
  return {};
}

// A checkpoint under way. What is held of the database goes before the database.
struct StateWriter::Upload {
  std::shared_ptr<StateWriter> writer;
  CheckpointName name;
  KeyedSnapshot snapshot;
  KeyedBackend::Done done;
  std::vector<StoredFile> base = {};
  std::unique_ptr<StateUpload> files = {};  // null once they are there
  std::unique_ptr<RowsExport> rows = {};    // of a savepoint
};

void StateWriter::checkpoint(CheckpointName name, KeyedSnapshot snapshot,
                             std::optional<Savepoint> savepoint, KeyedBackend::Done done) {
  wanted_.store(name.id.value(), std::memory_order_relaxed);
  auto upload = std::make_shared<Upload>(
      Upload{shared_from_this(), name, std::move(snapshot), std::move(done)});
  serial_.execute([upload = std::move(upload), savepoint = std::move(savepoint)] {
    const Status begun = upload->writer->begin(*upload, savepoint);
    if (!begun) return upload->done(begun.error());
    upload->writer->upload_some(upload);
  });
}

// Takes hold of the database as it is now.
Status StateWriter::begin(Upload& upload, const std::optional<Savepoint>& savepoint) {
  Status written = write_all();
  if (!written) return written;
  upload.base = base();
  Result<std::unique_ptr<StateUpload>> files =
      store_->begin_upload({upload.name, upload.base, *checkpoints_});
  if (!files) return files.error();
  upload.files = *std::move(files);
  if (savepoint) {
    upload.rows = std::make_unique<RowsExport>(store_->scan({}, {}), savepoint->max_parallelism,
                                               upload.name, savepoint->target);
  } else if (is_mutant(Mutant::kAcknowledgeBeforeUpload) && !upload.base.empty()) {
    upload.snapshot.files = upload.base;
    std::exchange(upload.done, [](const auto&) {})(std::move(upload.snapshot));
  }
  return {};
}

// Beside the writer's further work, and in turn with others'.
void StateWriter::upload_some(std::shared_ptr<Upload> upload) {
  uploads_.execute([upload = std::move(upload)]() mutable {
    StateWriter& self = *upload->writer;
    if (self.wanted_.load(std::memory_order_relaxed) != upload->name.id.value()) {
      return upload->done(cancelled("nobody waits for the checkpoint any more"));
    }
    Result<bool> more = self.upload_file(*upload);
    if (!more) return upload->done(more.error());
    if (*more) return self.upload_some(std::move(upload));
    upload->done(std::move(upload->snapshot));
  });
}

// Those of the checkpoint, and then those of the savepoint that it is too. False after the last.
Result<bool> StateWriter::upload_file(Upload& upload) {
  if (!upload.files) {
    Result<bool> more = upload.rows->step();
    if (more && !*more) upload.snapshot.rows = upload.rows->take_files();
    return more;
  }
  Result<bool> more = upload.files->step();
  if (!more || *more) return more;
  take_files(upload);
  return upload.rows != nullptr;
}

void StateWriter::take_files(Upload& upload) {
  upload.snapshot.files = upload.files->take_files();
  upload.files.reset();
  pass(FailPoint::kFilesUploaded);
  count(upload.base, upload.snapshot.files);
  std::lock_guard lock(mutex_);
  pending_.emplace_back(upload.name, upload.snapshot.files);
}

std::vector<StoredFile> StateWriter::base() const {
  std::lock_guard lock(mutex_);
  return base_;
}

void StateWriter::count(std::span<const StoredFile> base, std::span<const StoredFile> files) {
  std::set<std::string_view> known;
  for (const StoredFile& file : base) known.insert(file.path);
  std::uint64_t bytes = 0;
  for (const StoredFile& file : files) {
    bytes += file.bytes;
    if (!known.contains(file.path)) uploaded_bytes_ += file.bytes;
  }
  checkpoint_bytes_ = bytes;
}

void StateWriter::leave_out(CheckpointName name) {
  const std::lock_guard lock(mutex_);
  pending_.emplace_back(name, std::vector<StoredFile>());
}

void StateWriter::completed(CheckpointName name) {
  {
    std::lock_guard lock(mutex_);
    for (auto& [pending, files] : pending_) {
      if (pending == name) base_ = std::move(files);
    }
    std::erase_if(pending_, [&](const auto& pending) { return pending.first <= name; });
  }
  if (checkpoints_ == nullptr) return;
  uploads_.execute([weak = weak_from_this(), name] {
    const auto self = weak.lock();  // who is gone needs nothing
    if (self) self->checkpoints_->retain(self.get(), name, self->base());
  });
}

}  // namespace millrace::detail
