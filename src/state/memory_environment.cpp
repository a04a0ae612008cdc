#include "millrace/state/memory_environment.h"

#include <optional>

namespace millrace::detail {

Status MemoryEnvironment::take(KeyedBackend* state) {
  environment_.restored.clear();
  if (state == nullptr) return {};
  std::optional<Result<KeyedSnapshot>> taken;
  const CheckpointName name = next_;
  next_.id = CheckpointId(next_.id.value() + 1);
  state->freeze(name, [&](Result<KeyedSnapshot> result) { taken = std::move(result); });
  for (bool more = true; more;) {
    Result<bool> worked = state->work();
    if (!worked) return worked.error();
    more = *worked;
  }
  if (!taken) return internal("the state was saved, but its checkpoint is not done");
  if (!*taken) return taken->error();
  state->completed(name);
  environment_.restored.push_back(**std::move(taken));
  return {};
}

}  // namespace millrace::detail
