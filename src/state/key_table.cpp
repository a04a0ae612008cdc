#include "millrace/state/key_table.h"

#include <stdexcept>

#include "millrace/core/text.h"

namespace millrace::detail {

AnyKeyTable::AnyKeyTable(StateDeclaration declaration, const CurrentKeys& current,
                         std::size_t cell_offset)
    : StatePart(std::move(declaration)), current_(current), cell_offset_(cell_offset) {}

AnyKeyTable::Place AnyKeyTable::find_place() {
  if (!current_.inside()) {
    throw std::logic_error(concat("state ", in_quotes(declaration().name),
                                  " was used where no key is at hand: it belongs to the key of the "
                                  "record in process() or of the timer in on_timer()"));
  }
  if (!std::exchange(looked_up_, true)) {
    look_up_group();
  } else {
    know(current_.index, look_up());
  }
  return known_[current_.index].place;
}

void AnyKeyTable::fail_call(const Error& error) {
  state().fail(error);
  throw std::runtime_error(error.message());
}

void RowsOf::save(const void* value) {
  const auto encode = [&](std::string& out) { return part_.encode(value, out); };
  Status encoded = into_->put_encoded(key_, key_bytes_, encode);
  if (encoded) return;
  const std::string& name = part_.declaration().name;
  state_->fail(encoded.error().with_context(concat("state ", in_quotes(name))));
}

void RowsOf::remove() { into_->remove(key_, key_bytes_); }

}  // namespace millrace::detail
