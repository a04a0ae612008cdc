#include "millrace/actors/enumerator_actor.h"

#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {

EnumeratorActor::EnumeratorActor(caf::actor_config& config, std::string source,
                                 EnumeratorFactory make, std::uint32_t parallelism,
                                 caf::actor coordinator)
    : ActorBase(config),
      source_(std::move(source)),
      make_(std::move(make)),
      parallelism_(parallelism),
      coordinator_(std::move(coordinator)) {}

caf::behavior EnumeratorActor::make_behavior() {
  return {
      [this](const RequestSplit& request) { hand_out(request.reader); },
  };
}

void EnumeratorActor::hand_out(const caf::actor& reader) {
  if (failed_) return;
  Result<std::optional<std::string>> split = next_split();
  if (!split) {
    failed_ = true;
    send(coordinator_, TaskFailed{std::nullopt, split.error().with_context(
                                                    concat("source ", in_quotes(source_)))});
  } else if (*split) {
    send(reader, AssignSplit{**std::move(split)});
  } else {
    send(reader, NoMoreSplits{});
  }
}

Result<std::optional<std::string>> EnumeratorActor::next_split() {
  try {
    if (!enumerator_) {
      enumerator_ = make_();
      if (Status found = enumerator_->discover(parallelism_); !found) return found.error();
    }
    return enumerator_->next();
  } catch (...) {
    return thrown_by("looking for its splits", std::current_exception());
  }
}

}  // namespace millrace::detail
