#include "millrace/state/operator_state.h"

#include <algorithm>
#include <optional>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

std::string_view dealt(Redistribution redistribution) {
  switch (redistribution) {
    case Redistribution::kSplit:
      return "an even split";
    case Redistribution::kUnion:
      return "a union";
    case Redistribution::kCopy:
      return "copies";
  }
  return "something unknown";
}

}  // namespace

AnyOperatorState::AnyOperatorState(OperatorStates& owner, std::string name,
                                   Redistribution redistribution)
    : name_(std::move(name)), redistribution_(redistribution) {
  owner.states_.push_back(this);
}

Result<StatePiece> AnyOperatorState::snapshot() const {
  StatePiece piece{.redistribution = redistribution_,
                   .elements = {},
                   .schema = to_string(schema_of(element_type()))};
  const Rows rows = elements();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string bytes;
    Status encoded = encode(element_type(), Rows(rows[i], element_type().size, 1), bytes);
    if (!encoded) return encoded.error();
    piece.elements.push_back(std::move(bytes));
  }
  return piece;
}

Status AnyOperatorState::restore(const StatePiece* piece) {
  if (piece == nullptr) {
    return may_be_new() ? Status() : not_found("the checkpoint does not know it");
  }
  const bool was_kept =  // while it was not declared
      piece->redistribution == Redistribution::kCopy && redistribution_ == Redistribution::kUnion;
  if (piece->redistribution != redistribution_ && !was_kept) {
    return unsupported(concat("it was written as ", dealt(piece->redistribution),
                              " over the subtasks and is declared as ", dealt(redistribution_),
                              " now; declare it as it was, or under another name"));
  }
  return decode(*piece);
}

Status AnyOperatorState::decode(const StatePiece& piece) {
  const Type& type = element_type();
  std::optional<Decoder> decoder;
  if (!piece.schema.empty() && piece.schema != to_string(schema_of(type))) {
    Result<Schema> written = Schema::parse(piece.schema);
    if (!written) return written.error();
    Result<Decoder> made = Decoder::make(*written, type);
    if (!made) return made.error();
    decoder = *std::move(made);
  }
  const MutableRows rows = make_elements(piece.elements.size());
  if (rows.size() != piece.elements.size()) {
    return corruption(concat("it has ", piece.elements.size(), " elements, not ", rows.size()));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string_view bytes = piece.elements[i];
    const MutableRows row(rows[i], type.size, 1);
    Status decoded = decoder ? decoder->decode(bytes, row) : detail::decode(type, bytes, row);
    if (!decoded) return decoded;
    if (!bytes.empty()) return corruption("bytes follow the end of an element");
  }
  return {};
}

Status OperatorStates::check_names() const {
  for (const AnyOperatorState* state : states_) {
    const auto same = [&](const AnyOperatorState* other) { return other->name() == state->name(); };
    if (std::ranges::count_if(states_, same) > 1) {
      return invalid_argument(concat("two states are named ", in_quotes(state->name()),
                                     "; a name tells the states of an operator apart"));
    }
    if (state->name().empty() || state->name().starts_with('.')) {
      return invalid_argument(concat("a state is named ", in_quotes(state->name()),
                                     "; give it a name that does not begin with a dot"));
    }
  }
  return {};
}

Status OperatorStates::snapshot_states(Snapshot& snapshot) const {
  for (const auto& [name, piece] : undeclared_.pieces()) snapshot.put(name, piece);
  for (const AnyOperatorState* state : states_) {
    Result<StatePiece> piece = state->snapshot();
    if (!piece) return piece.error().with_context(concat("state ", in_quotes(state->name())));
    snapshot.put(state->name(), *std::move(piece));
  }
  return {};
}

Status OperatorStates::restore_states(const Snapshot& snapshot) {
  for (AnyOperatorState* state : states_) {
    Status restored = state->restore(snapshot.find(state->name()));
    if (!restored) {
      return restored.error().with_context(concat("state ", in_quotes(state->name())));
    }
  }
  keep_undeclared(snapshot);
  return {};
}

// Every instance has all of a union, and all of them would write it: it goes on as copies, of which
// each instance gets one, or there would be more of it with each restore.
void OperatorStates::keep_undeclared(const Snapshot& snapshot) {
  undeclared_ = {};
  for (const auto& [name, piece] : snapshot.pieces()) {
    const auto declared = std::ranges::find(states_, name, &AnyOperatorState::name);
    if (name.starts_with('.') || declared != states_.end()) continue;
    StatePiece kept = piece;
    if (kept.redistribution == Redistribution::kUnion) {
      kept.redistribution = Redistribution::kCopy;
    }
    undeclared_.put(name, std::move(kept));
  }
}

}  // namespace millrace::detail
