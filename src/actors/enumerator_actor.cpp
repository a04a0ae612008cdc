#include "millrace/actors/enumerator_actor.h"

#include <caf/send.hpp>

#include "millrace/core/failpoint.h"
#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {

EnumeratorActor::EnumeratorActor(caf::actor_config& config, EnumeratedSource source,
                                 EnumeratorAddress address, caf::actor coordinator,
                                 Executor& executor)
    : ActorBase(config),
      source_(std::move(source)),
      address_(address),
      coordinator_(std::move(coordinator)),
      executor_(executor) {
  if (source_.restored) take_splits(*source_.restored);
}

caf::behavior EnumeratorActor::make_behavior() {
  return {
      [this](const ConnectReader& connect) { readers_.push_back(connect.reader); },
      [this](const RequestSplit& request) {
        if (splits_) return hand_out(request.reader);
        waiting_.push_back(request.reader);
        if (waiting_.size() == 1) look_for_splits();
      },
      [this](SplitsFound& found) {
        if (!found.splits) return fail(found.splits.error());
        take_splits(*std::move(found.splits));
        for (const caf::actor& reader : std::exchange(waiting_, {})) hand_out(reader);
      },
      [this](const Trigger& trigger) { this->trigger(trigger); },
  };
}

// Its readers know it.
void EnumeratorActor::on_exit() {
  readers_.clear();
  waiting_.clear();
}

// What is found comes back as a message.
void EnumeratorActor::look_for_splits() {
  executor_.execute([source = source_, self = caf::actor_cast<caf::actor>(this)] {
    caf::anon_send(self, SplitsFound{find_splits(source)});
  });
}

Result<StatePiece> EnumeratorActor::find_splits(const EnumeratedSource& source) {
  try {
    const std::unique_ptr<SplitEnumerator> enumerator = source.make();
    if (Status known = enumerator->discover(source.parallelism); !known) return known.error();
    StatePiece found{.schema = enumerator->schema()};
    while (std::optional<std::string> split = enumerator->next()) {
      found.elements.push_back(*std::move(split));
    }
    return found;
  } catch (...) {
    return thrown_by("looking for its splits", std::current_exception());
  }
}

void EnumeratorActor::take_splits(StatePiece splits) {
  splits_.emplace(std::make_move_iterator(splits.elements.begin()),
                  std::make_move_iterator(splits.elements.end()));
  schema_ = std::move(splits.schema);
}

void EnumeratorActor::hand_out(const caf::actor& reader) {
  if (splits_->empty()) return send(reader, NoMoreSplits{});
  send(reader, AssignSplit{std::move(splits_->front()), schema_});
  pass(FailPoint::kSplitAssigned);
  splits_->pop_front();
}

void EnumeratorActor::trigger(const Trigger& trigger) {
  std::optional<StatePiece> left;
  if (splits_) left = StatePiece{.elements = {splits_->begin(), splits_->end()}, .schema = schema_};
  send(coordinator_, SplitsAcknowledged{address_, trigger.barrier.checkpoint, std::move(left)});
  for (const caf::actor& reader : readers_) send(reader, trigger);
}

void EnumeratorActor::fail(const Error& error) {
  send(coordinator_,
       EnumeratorFailed{address_, error.with_context(concat("source ", in_quotes(source_.name)))});
}

}  // namespace millrace::detail
