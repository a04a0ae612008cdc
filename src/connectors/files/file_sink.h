// The sink that writes part files: what files(path, format) gives to Stream::to().
//
// Exactly once: records show when the checkpoint after them is complete, in files
// part-<subtask>-<checkpoint>, which appear whole and never change. The directory is made if it is
// missing, and stays empty if there are no records. What was shown may be taken away.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "millrace/connectors/files/part_files.h"
#include "millrace/connectors/files/row_writer.h"
#include "millrace/core/records/record.h"
#include "millrace/operators/endpoints.h"
#include "millrace/operators/two_phase_sink.h"

namespace millrace::detail {

class FileSinkCore : public TwoPhaseSink {
 public:
  FileSinkCore(std::string directory, std::unique_ptr<RowWriter> rows)
      : files_(std::move(directory), std::move(rows)) {}

  Status open(const OperatorContext& context) override;
  Status close() override;

 protected:
  Status write(const void* first, std::size_t stride, std::size_t count);

 private:
  Status begin(bool restored) override { return files_.begin(!restored); }
  Result<bool> stage(const Transaction& transaction) override { return files_.stage(transaction); }
  Status publish(const Transaction& transaction) override { return files_.publish(transaction); }
  bool was_taken_away(const Transaction& transaction) override;

  PartFiles files_;
  std::string name_;
  const Logger* log_ = nullptr;
};

template <class T>
class FileSinkOperator final : public FileSinkCore {
 public:
  using FileSinkCore::FileSinkCore;

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    const auto values = in.as<T>().values().subspan(in.next);
    Status written = write(values.data(), sizeof(T), values.size());
    if (!written) return written.error();
    in.next += values.size();
    return Progress::kDone;
  }
};

}  // namespace millrace::detail

namespace millrace {

class FilesSink {
 public:
  FilesSink(std::string directory, detail::RowWriterFactory format)
      : directory_(std::move(directory)), format_(std::move(format)) {}

  template <class T>
  SinkSpec bind() const {
    SinkSpec spec;
    spec.kind = "files";
    spec.make = [directory = directory_, format = format_] {
      return std::make_unique<detail::FileSinkOperator<T>>(directory, format(type_of<T>()));
    };
    return spec;
  }

 private:
  std::string directory_;
  detail::RowWriterFactory format_;
};

}  // namespace millrace
