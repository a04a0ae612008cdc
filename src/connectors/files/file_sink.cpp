#include "millrace/connectors/files/file_sink.h"

namespace millrace::detail {

Status FileSinkCore::open(const OperatorContext& context) {
  Status opened = TwoPhaseSink::open(context);
  return opened ? files_.open(subtask()) : opened;
}

Status FileSinkCore::close() {
  files_.close();
  return {};
}

Status FileSinkCore::write(const void* first, std::size_t stride, std::size_t count) {
  Status begun = ready();
  return begun ? files_.write(first, stride, count) : begun;
}

}  // namespace millrace::detail
