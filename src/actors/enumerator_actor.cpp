#include "millrace/actors/enumerator_actor.h"

#include <caf/send.hpp>

#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {

EnumeratorActor::EnumeratorActor(caf::actor_config& config, EnumeratedSource source,
                                 caf::actor coordinator, Executor& executor)
    : ActorBase(config),
      source_(std::move(source)),
      coordinator_(std::move(coordinator)),
      executor_(executor) {}

caf::behavior EnumeratorActor::make_behavior() {
  return {
      [this](const RequestSplit& request) {
        if (enumerator_) return hand_out(request.reader);
        waiting_.push_back(request.reader);
        if (waiting_.size() == 1) look_for_splits();
      },
      [this](SplitsFound& found) {
        if (!found.enumerator) return fail(found.enumerator.error());
        enumerator_ = *std::move(found.enumerator);
        for (const caf::actor& reader : std::exchange(waiting_, {})) hand_out(reader);
      },
  };
}

// What is found comes back as a message.
void EnumeratorActor::look_for_splits() {
  executor_.execute([source = source_, self = caf::actor_cast<caf::actor>(this)] {
    caf::anon_send(self, SplitsFound{find_splits(source)});
  });
}

Result<std::shared_ptr<SplitEnumerator>> EnumeratorActor::find_splits(
    const EnumeratedSource& source) {
  try {
    std::shared_ptr<SplitEnumerator> enumerator = source.make();
    if (Status found = enumerator->discover(source.parallelism); !found) return found.error();
    return enumerator;
  } catch (...) {
    return thrown_by("looking for its splits", std::current_exception());
  }
}

void EnumeratorActor::hand_out(const caf::actor& reader) {
  if (std::optional<std::string> split = enumerator_->next()) {
    send(reader, AssignSplit{*std::move(split)});
  } else {
    send(reader, NoMoreSplits{});
  }
}

void EnumeratorActor::fail(const Error& error) {
  send(coordinator_,
       TaskFailed{std::nullopt, error.with_context(concat("source ", in_quotes(source_.name)))});
}

}  // namespace millrace::detail
