// The source that reads records out of files, whatever their format: a thin typed skin over a
// Reader, which knows the format. A Reader is made of its options and has
//
//   Reader(const Type& type, Options options);
//   Status check() const;              // can records of this type be read with these options?
//   Status open(const FileSplit& split);
//   ReadStep next(void* record);       // writes the next record in place
//   const BadRecord& bad() const;      // after kBad; the reader is behind that record
//   const Error& error() const;        // after kFailed
//   std::int64_t position() const, line() const;
//   static constexpr std::string_view kFormat;
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/connectors/files/bad_record.h"
#include "millrace/connectors/files/file_list.h"
#include "millrace/connectors/files/read_step.h"
#include "millrace/core/records/record.h"
#include "millrace/operators/endpoints.h"

namespace millrace::detail {

constexpr int kBadRecordsPerPoll = 256;  // or fewer, once they hold kBatchBytes

template <class T, class Reader>
class FileSource final : public SplitSource<T, FileSplit> {
 public:
  static constexpr bool kBounded = true;

  FileSource(FileInput input, typename Reader::Options options)
      : input_(std::move(input)), on_error_(options.on_error), reader_(type_of<T>(), options) {}

  Result<std::vector<FileSplit>> discover(std::uint32_t) override {
    Status checked = reader_.check();
    if (!checked) return checked.error();
    return list_splits(input_);
  }

  Status open(SourceContext& context) override {
    name_ = context.name();
    return reader_.check();
  }

  Status open_split(const FileSplit& split) override { return reader_.open(split); }

  Result<Poll> poll(FileSplit& split, Collector<T>& out) override {
    Result<Poll> poll = read(out);
    split.position = reader_.position();
    split.line = reader_.line();
    return poll;
  }

  Status close() override {
    bad_.report(name_);
    return {};
  }

 private:
  Result<Poll> read(Collector<T>& out) {
    int bad_ones = 0;
    std::size_t bad_bytes = 0;
    while (!out.full()) {
      ReadStep step = ReadStep::kEnd;
      const bool is_record = out.emit_if([&](T& record) {
        step = reader_.next(&record);
        return step == ReadStep::kRecord;
      });
      if (is_record) continue;
      if (step == ReadStep::kEnd) return Poll::end();
      if (step == ReadStep::kFailed) return reader_.error();
      if (on_error_ == OnError::kFail) {
        return BadRecordCount::failure(reader_.bad(), Reader::kFormat);
      }
      refuse(reader_.bad());
      // A file of nothing else must neither fill the side output nor keep its thread.
      bad_bytes += heap_footprint(reader_.bad());
      if (++bad_ones == kBadRecordsPerPoll || bad_bytes >= kBatchBytes) {
        return Poll::idle_for(std::chrono::nanoseconds(0));
      }
    }
    return Poll::more();
  }

  void refuse(const BadRecord& bad) {
    if (on_error_ == OnError::kSideOutput && this->is_read(kBadRecords)) {
      this->emit(kBadRecords, bad);
    } else {
      bad_.add(bad);  // counted, and reported at the end
    }
  }

  FileInput input_;
  OnError on_error_;
  Reader reader_;
  BadRecordCount bad_;
  std::string name_;
};

}  // namespace millrace::detail

namespace millrace {

// What files<T>() and text_files() give to Job::from().
template <class T, class Reader>
class FilesSource {
 public:
  FilesSource(std::string kind, std::string path, typename Reader::Options options)
      : kind_(std::move(kind)), input_{.path = std::move(path)}, options_(std::move(options)) {}

  // Large files are cut into ranges of about 64 MiB that are read in parallel. The records of one
  // file then come out of order.
  FilesSource splittable() const {
    FilesSource source = *this;
    source.input_.splittable = true;
    source.options_.splittable = true;
    return source;
  }

  SourceSpec<T> spec() const {
    SourceSpec<T> spec = source<detail::FileSource<T, Reader>>(input_, options_);
    spec.kind = kind_;
    return spec;
  }

 private:
  std::string kind_;
  detail::FileInput input_;
  typename Reader::Options options_;
};

}  // namespace millrace
