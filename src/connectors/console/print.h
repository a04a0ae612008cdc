// print(): writes each record as a line of JSON to standard output, a string with its quotes.
// print("late") names the operator and puts `late> ` before each line, as .named("late") does.
//
// Lines are gathered per subtask and written when the input runs empty, or after the batch that
// makes them 64 KiB; always whole lines, so that lines of different subtasks do not mix; in a pipe,
// those of up to 4 KiB. At least once: after a failure, lines since the last checkpoint are printed
// again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/core/codec/codec.h"
#include "millrace/operators/endpoints.h"

namespace millrace::detail {

class LinePrinter {
 public:
  explicit LinePrinter(int file) : file_(file) {}

  // What stands before each line.
  void open(std::string prefix);
  Status print(const Type& type, Rows rows);
  Status flush();

 private:
  Status write_lines(std::string_view lines);
  Status write_all(std::string_view bytes);

  int file_;
  std::size_t longest_write_ = 0;
  std::string prefix_;
  std::string lines_;
};

template <class T>
class PrintSink final : public Sink<T> {
 public:
  explicit PrintSink(int file) : printer_(file) {}

  Status open(SinkContext& context) override {
    printer_.open(context.named() ? context.name() + "> " : std::string());
    return {};
  }
  Status write(std::span<const T> values) override {
    return printer_.print(type_of<T>(), Rows::of(values));
  }
  Status flush() override { return printer_.flush(); }
  Status prepare(CheckpointId) override { return printer_.flush(); }
  Status close() override { return printer_.flush(); }

 private:
  LinePrinter printer_;
};

class Print {
 public:
  explicit Print(std::string name, int file) : name_(std::move(name)), file_(file) {}

  template <class T>
  SinkSpec bind() const {
    SinkSpec spec = sink<PrintSink<T>>(file_).spec;
    spec.name = name_;
    spec.kind = "print";
    return spec;
  }

 private:
  std::string name_;
  int file_;
};

constexpr int kStandardOutput = 1;

}  // namespace millrace::detail

namespace millrace {

inline detail::Print print(std::string name = {}) {
  return detail::Print(std::move(name), detail::kStandardOutput);
}

}  // namespace millrace
