#include "millrace/state/state_writer.h"

#include <algorithm>
#include <set>

#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"

#include "millrace/state/savepoint/rows_export.h"

namespace millrace::detail {

void StateWriter::adopt(std::unique_ptr<StateStore> store, std::vector<StoredFile> base) {
  store_ = std::move(store);
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

void StateWriter::checkpoint(CheckpointName name, KeyedSnapshot snapshot, KeyedBackend::Done done) {
  auto result = std::make_shared<KeyedSnapshot>(std::move(snapshot));
  serial_.execute([self = shared_from_this(), name, result, done = std::move(done)] {
    if (is_mutant(Mutant::kAcknowledgeBeforeUpload) && !self->base_.empty()) {
      result->files = self->base_;
      done(std::move(*result));
      return (void)self->put(name);
    }
    Result<std::vector<StoredFile>> files = self->put(name);
    if (!files) return done(files.error());
    result->files = *std::move(files);
    done(std::move(*result));
  });
}

// What is under way of a savepoint. The scan goes before the database that it walks over.
struct StateWriter::Saving {
  std::shared_ptr<StateWriter> writer;
  CheckpointName name;
  KeyedSnapshot snapshot;
  KeyedBackend::Done done;
  std::unique_ptr<RowsExport> rows;
};

void StateWriter::checkpoint(CheckpointName name, KeyedSnapshot snapshot, Savepoint savepoint,
                             KeyedBackend::Done done) {
  saving_.store(name.id.value(), std::memory_order_relaxed);
  auto saving = std::make_shared<Saving>(
      Saving{shared_from_this(), name, std::move(snapshot), std::move(done), nullptr});
  serial_.execute([saving, savepoint = std::move(savepoint)] {
    StateWriter& self = *saving->writer;
    Result<std::vector<StoredFile>> files = self.put(saving->name);
    if (!files) return saving->done(files.error());
    saving->snapshot.files = *std::move(files);
    saving->rows = std::make_unique<RowsExport>(
        self.store_->scan({}, {}), savepoint.max_parallelism, saving->name, savepoint.target);
    self.save_some(saving);
  });
}

// Beside the writer's further work, and in turn with others'.
void StateWriter::save_some(std::shared_ptr<Saving> saving) {
  executor_.execute([saving = std::move(saving)]() mutable {
    StateWriter& self = *saving->writer;
    if (self.saving_.load(std::memory_order_relaxed) != saving->name.id.value()) {
      return saving->done(cancelled("nobody waits for the savepoint any more"));
    }
    Result<bool> more = saving->rows->step();
    if (!more) return saving->done(more.error());
    if (*more) return self.save_some(std::move(saving));
    saving->snapshot.rows = saving->rows->take_files();
    saving->done(std::move(saving->snapshot));
  });
}

Result<std::vector<StoredFile>> StateWriter::put(const CheckpointName& name) {
  Status written = write_all();
  if (!written) return written.error();
  std::vector<StoredFile> base;
  {
    std::lock_guard lock(mutex_);
    base = base_;
  }
  Result<std::vector<StoredFile>> files = store_->checkpoint(name, base, *checkpoints_);
  if (!files) return files.error();
  pass(FailPoint::kFilesUploaded);
  count(base, *files);
  std::lock_guard lock(mutex_);
  pending_.emplace_back(name, *files);
  return files;
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

void StateWriter::completed(CheckpointName name) {
  std::lock_guard lock(mutex_);
  for (auto& [pending, files] : pending_) {
    if (pending == name) base_ = std::move(files);
  }
  std::erase_if(pending_, [&](const auto& pending) { return pending.first <= name; });
}

}  // namespace millrace::detail
