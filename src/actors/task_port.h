// How a task reaches the others; implemented by its actor.
#pragma once

#include <functional>
#include <optional>

#include "millrace/actors/element.h"
#include "millrace/core/result.h"
#include "millrace/state/checkpoint_metadata.h"
#include "millrace/state/keyed_backend.h"

namespace millrace::detail {

class TaskPort {
 public:
  virtual ~TaskPort() = default;

  virtual void send(std::size_t exchange, std::size_t channel, Element element) = 0;
  virtual void return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) = 0;
  virtual void request_split() = 0;

  virtual void acknowledge(const Barrier& barrier, TaskSnapshot snapshot) = 0;
  // Without an error: the task cannot take a checkpoint yet, which is no failure.
  virtual void decline(CheckpointId checkpoint, std::optional<Error> error) = 0;
  // What the keyed state of operator `index` is to call when it is written, on any thread: it leads
  // to TaskRunner::on_written.
  virtual KeyedBackend::Done when_written(CheckpointId checkpoint, std::size_t index) = 0;
  // The same for records in flight: it leads to TaskRunner::on_stored.
  using Stored = std::function<void(Result<StoredFile>)>;
  virtual Stored when_stored(CheckpointId checkpoint) = 0;
};

}  // namespace millrace::detail
