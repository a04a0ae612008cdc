#include "millrace/actors/enumerator_actor.h"

#include <exception>

#include "millrace/core/text.h"

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
  if (!enumerator_) {
    Status found = discover();
    if (!found) {
      failed_ = true;
      send(coordinator_, TaskFailed{std::nullopt, found.error().with_context(
                                                      concat("source ", in_quotes(source_)))});
      return;
    }
  }
  if (std::optional<std::string> split = enumerator_->next()) {
    send(reader, AssignSplit{*std::move(split)});
  } else {
    send(reader, NoMoreSplits{});
  }
}

Status EnumeratorActor::discover() {
  try {
    enumerator_ = make_();
    return enumerator_->discover(parallelism_);
  } catch (const std::exception& thrown) {
    return user_code(concat("looking for its splits threw: ", thrown.what()));
  }
}

}  // namespace millrace::detail
