#include "millrace/connectors/files/file_sink.h"

#include "millrace/core/log.h"

namespace millrace::detail {

Status FileSinkCore::open(const OperatorContext& context) {
  name_ = context.name;
  log_ = context.log;
  Status opened = TwoPhaseSink::open(context);
  return opened ? files_.open(subtask()) : opened;
}

Status FileSinkCore::close() {
  files_.close();
  return {};
}

// What an acknowledged checkpoint lists was durable. So what is neither staged nor shown was shown
// and taken away, or this is another directory; to refuse it would be to refuse it for ever.
bool FileSinkCore::was_taken_away(const Transaction& transaction) {
  if (!files_.is_gone(transaction)) return false;
  if (log_ != nullptr) {
    log_->warn("results that the checkpoint had prepared are not here: taken for moved away",
               {{"sink", name_}, {"file", files_.staged_path(transaction)}});
  }
  return true;
}

Status FileSinkCore::write(const void* first, std::size_t stride, std::size_t count) {
  Status begun = ready();
  return begun ? files_.write(first, stride, count) : begun;
}

}  // namespace millrace::detail
