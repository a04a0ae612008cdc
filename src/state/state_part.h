// One declared state of an operator instance, such as a ValueState: a table of rows by key that the
// operator's KeyedState freezes, saves and loads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/core/codec/record_encoder.h"
#include "millrace/core/time.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/row_buffer.h"
#include "millrace/state/row_table.h"

namespace millrace::detail {

class KeyedState;

// What is declared of a state.
struct StateDeclaration {
  std::string name;
  std::string_view kind;
  const Type* key = nullptr;    // of the stream
  const Type* entry = nullptr;  // of a map's keys
  const Type* value = nullptr;
  std::int64_t time_to_live_milliseconds = 0;
};

class StatePart {
 public:
  explicit StatePart(StateDeclaration declaration)
      : declaration_(std::move(declaration)), encoder_(*declaration_.value) {}
  StatePart(const StatePart&) = delete;
  StatePart& operator=(const StatePart&) = delete;
  virtual ~StatePart() = default;

  const StateDeclaration& declaration() const { return declaration_; }
  virtual RowTable& rows() = 0;

  // Forgets some of what was touched last then or before.
  virtual void sweep(Timestamp) {}

  // As a checkpoint describes it; `restored`, if the state goes on from one. Fails where the state
  // cannot be read as it is declared now.
  Status attach(KeyedState& state, std::uint32_t id, const StateDescription* restored);
  const StateDescription& description() const { return description_; }
  std::uint32_t id() const { return description_.id; }

  // A value as a row holds it, after the number of its schema.
  Status encode(const void* value, std::string& out) const {
    out.push_back(static_cast<char>(description_.value_schemas.size() - 1));
    return encoder_(value, out);
  }
  Status decode(std::string_view bytes, void* value) const;

 protected:
  KeyedState& state() const { return *state_; }

 private:
  const StateDeclaration declaration_;
  const RecordEncoder encoder_;
  StateDescription description_;
  KeyedState* state_ = nullptr;
  std::vector<Decoder> decoders_;  // of older versions
};

}  // namespace millrace::detail
