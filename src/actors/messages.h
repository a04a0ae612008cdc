// Every message between the actors of a job, in one place. All of them stay inside the process: a
// channel there is an actor handle, and a batch moves as a pointer.
#pragma once

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/element.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/operators/any_source.h"

namespace millrace::detail {

// --- from task to task ---

// The next element of a channel. Sent only with credit, except for elements without records.
struct Deliver {
  std::uint32_t channel;  // as the receiver numbers its input channels
  Element element;
};

// The receiver is done with a batch: it returns the credit, and the batch unless it keeps it.
struct Credit {
  std::uint32_t exchange;  // as the sender numbers them
  std::uint32_t channel;   // of that exchange
  BatchPtr batch;
  std::size_t bytes;  // as accounted when it was sent
};

// --- from the coordinator to a task ---

// The other end of a channel: an actor, and how it numbers the channel.
struct Peer {
  caf::actor actor;
  std::uint32_t exchange = 0;  // of a sender; unused for a receiver
  std::uint32_t channel = 0;
};

// Whom a task talks to; known once all tasks exist.
struct TaskPeers {
  std::vector<std::vector<Peer>> receivers;  // by exchange and channel
  std::vector<Peer> senders;                 // by input channel
  caf::actor enumerator;                     // of a source with splits
};

// Whom to send to; comes before Start.
struct Connect {
  std::shared_ptr<const TaskPeers> peers;
};
// All tasks of the job exist and have been told of each other: begin.
struct Start {};
// All tasks have finished: what the sinks hold is final.
struct Commit {};
// Stop where you are.
struct Cancel {};

// --- from a task to the coordinator ---

// Everything was processed and sent, and the sinks are prepared.
struct TaskFinished {};
// Committed, or cancelled; the task is closed and its actor gone.
struct TaskClosed {};

struct TaskAddress {
  TaskId task;
  SubtaskIndex subtask;
};
// From an enumerator too, which is no subtask and has no address.
struct TaskFailed {
  std::optional<TaskAddress> from;
  Error error;
};

// --- to the coordinator from whoever runs the job ---

// Make the job's tasks, connect them and start them.
struct Deploy {};
struct CancelJob {};

// --- between a source's tasks and its enumerator, and from the executor to that ---

struct RequestSplit {
  caf::actor reader;
};
struct AssignSplit {
  std::string split;
};
struct NoMoreSplits {};
struct SplitsFound {
  Result<std::shared_ptr<SplitEnumerator>> enumerator;
};

// --- from a task to itself ---

// Go on with what there is to do, after the messages that came before.
struct Work {};
// An idle source's pause is over; one that was overtaken carries an old number.
struct Wake {
  std::uint64_t number;
};

}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Credit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Connect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Commit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Cancel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskFinished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Deploy)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CancelJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RequestSplit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AssignSplit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::NoMoreSplits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SplitsFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Wake)
