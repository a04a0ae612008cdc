#include "millrace/operators/source.h"

namespace millrace::detail {

Status SourceStates::snapshot(Snapshot& snapshot) const {
  for (const AnySourceState* state : states_) {
    Result<std::string> bytes = state->encode();
    if (!bytes) return bytes.error().with_context(concat("state ", in_quotes(state->name())));
    snapshot.put(state->name(), *std::move(bytes));
  }
  return {};
}

Status SourceStates::restore(const Snapshot& snapshot) {
  for (AnySourceState* state : states_) {
    Result<std::string_view> bytes = snapshot.get(state->name());
    if (!bytes) return bytes.error();
    Status decoded = state->decode(*bytes);
    if (!decoded) return decoded.error().with_context(concat("state ", in_quotes(state->name())));
  }
  return {};
}

}  // namespace millrace::detail
