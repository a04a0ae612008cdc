#include "millrace/state/checkpoint_store.h"

#include "millrace/core/text.h"

namespace millrace::detail {

std::string to_string(const CheckpointName& name) {
  return concat("chk-", name.id.value(), "-", name.epoch);
}

}  // namespace millrace::detail
