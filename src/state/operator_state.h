// State that belongs to an operator instance as a whole, not to a key: declared as members of a
// process function, source or sink, written whole with each checkpoint, and dealt to the instances
// when a job goes on, as its Redistribution says (snapshot.h). It lives in memory.
//
// One thread, the task's.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/state/snapshot.h"

namespace millrace::detail {

class AnyOperatorState;

// The states that a function has declared. Names that begin with a dot are the engine's. What it
// declares no more is kept as it was restored, in case it is declared again.
class OperatorStates {
 public:
  OperatorStates() = default;
  OperatorStates(const OperatorStates&) = delete;
  OperatorStates& operator=(const OperatorStates&) = delete;

  // Fails where their names do not tell them apart.
  Status check_names() const;

  Status snapshot_states(Snapshot& snapshot) const;
  Status restore_states(const Snapshot& snapshot);

 protected:
  ~OperatorStates() = default;

 private:
  friend class AnyOperatorState;

  void keep_undeclared(const Snapshot& snapshot);

  std::vector<AnyOperatorState*> states_;
  Snapshot undeclared_;
};

// A piece of the snapshot: elements of one type, with their schema, so that they can be read when
// the type has changed.
class AnyOperatorState {
 public:
  AnyOperatorState(OperatorStates& owner, std::string name, Redistribution redistribution);
  AnyOperatorState(const AnyOperatorState&) = delete;
  AnyOperatorState& operator=(const AnyOperatorState&) = delete;

  const std::string& name() const { return name_; }
  Result<StatePiece> snapshot() const;
  Status restore(const StatePiece* piece);  // null: the checkpoint has none

 protected:
  ~AnyOperatorState() = default;

 private:
  virtual const Type& element_type() const = 0;
  virtual Rows elements() const = 0;
  // That many elements as they are made, instead of those that there are; or another number if
  // there cannot be so many.
  virtual MutableRows make_elements(std::size_t count) = 0;
  // Whether a checkpoint that does not know the state can be gone on from.
  virtual bool may_be_new() const { return true; }

  Status decode(const StatePiece& piece);

  const std::string name_;
  const Redistribution redistribution_;
};

template <class Owner>
OperatorStates& states_of(Owner& owner) {
  static_assert(std::is_base_of_v<OperatorStates, Owner>,
                "Millrace: operator state is declared as a member of a process function, a source "
                "or a sink, and made of *this and a name");
  if constexpr (std::is_base_of_v<OperatorStates, Owner>) {
    return owner;
  } else {
    return *static_cast<OperatorStates*>(static_cast<void*>(&owner));  // one error is enough
  }
}

}  // namespace millrace::detail
