// Every message between the actors of a process, in one place. What the coordinator of a job and
// its hosts say to each other is data (coordination/host_protocol.h): between processes it crosses
// as bytes. All other messages stay inside the process: a channel there is an actor handle, and a
// batch moves as a pointer. Where a channel leaves the process its task has a link instead
// (links/link_messages.h), and what comes on that becomes the same Deliver and Credit.
//
//   tasks of a region      host -> tasks           Connect        make, restore and open
//                          host -> tasks           Start
//                          task -> task            Deliver, Credit
//                          host -> enumerators     ConnectReader, Trigger(n)
//                          enumerator -> readers   AssignSplit, Trigger(n)
//                          links -> host -> tasks  LinkDown       of one that a task has ends of
//                          host -> tasks           Close
//
// Tasks and enumerators report to their host, which passes it on. Two actors' messages to each
// other keep their order; Close alone overtakes.
#pragma once

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/message.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/actors/element.h"
#include "millrace/actors/links/byte_pool.h"
#include "millrace/actors/links/link_events.h"
#include "millrace/coordination/host_protocol.h"
#include "millrace/coordination/job_ledger.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"
#include "millrace/operators/any_source.h"
#include "millrace/plan/cluster.h"
#include "millrace/state/checkpoint_metadata.h"

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

// --- from a host to a task ---

// The other end of a channel: an actor, or a subtask to which a link leads, and how it numbers the
// channel.
struct Peer {
  caf::actor actor;  // null: in another process
  LinkId link{};     // that leads there
  SubtaskId subtask{};
  std::uint32_t exchange = 0;  // of a sender; unused for a receiver
  std::uint32_t channel = 0;
};

// Whom a task talks to; known once all tasks exist.
struct TaskPeers {
  std::vector<std::vector<Peer>> receivers;  // by exchange and channel
  std::vector<Peer> senders;                 // by input channel
  caf::actor enumerator;                     // of a source with splits
  JobId job{};                               // the rest is of use where a peer is elsewhere
  caf::actor links;
  std::map<LinkId, std::shared_ptr<LinkLoad>> loads;
  std::shared_ptr<BytePool> pool;
};

// Whom to send to. Make, restore and open the operators.
struct Connect {
  std::shared_ptr<const TaskPeers> peers;
};
// All tasks of the region are open: begin.
struct Start {};
// Close, and be gone: the job has ended, or the region restarts.
struct Close {};
// Fail as user code may: sent by simulations.
struct Crash {};

// --- from a host to an enumerator, and from the executor to the host ---

struct ConnectReader {
  caf::actor reader;
};
// Where the files lie that the tasks go on from.
struct OriginFound {
  AttemptId attempt;
  Result<std::shared_ptr<CheckpointStore>> store;
};

// --- to a job's coordinator, and its hosts, from whoever runs the job ---

// To a host: report to it. It says with HostReady that it can have tasks.
struct Serve {
  caf::actor coordinator;
};
// To a host: let other hosts connect there, and find the coordinator at the other end of a link.
struct ServeOver {
  LinkAddress listen;
  LinkAddress coordinator;
};
// To a host that runs: another process is its coordinator from now on.
struct FollowCoordinator {
  LeaderEpoch epoch;
  LinkAddress coordinator;
};
// To itself: try to reach it again.
struct LookForCoordinator {};
// To itself: have the next heartbeats say what its tasks have done.
struct ProgressDue {};
// To a coordinator: nothing more will be heard of it.
struct HostLost {
  caf::actor host;
  std::string identity;
  Error error;
  bool unexplained = false;  // nobody has said why in the meantime
};
struct StartJob {};
struct CancelJob {};
struct RequestSavepoint {
  SavepointOrder order;
  RunningJob::SavepointTaken done;
};

// --- between a job's coordinator and whoever gives it slots ---

// Before each attempt: the job needs so many, each with a host. One request at a time.
struct NeedSlots {
  std::string job;
  std::uint32_t slots = 0;
};
// Instead of the first: the job's hosts, which another coordinator has had started, are to report
// to this one. Then it keeps what it has, or nothing: those hosts are ended.
struct SeekHosts {
  std::string job;
};
struct KeepHosts {
  std::string job;
  std::vector<std::string> host_of;  // each slot; empty: it keeps none
};
// The job has nothing to do with it any more.
struct HostGivenUp {
  std::string host;
};
// The identity of each slot's host, which says HostReady when it has come.
struct SlotsGranted {
  std::vector<std::string> host_of;
};
// To itself: the hosts of the slots that were granted then must have come.
struct SlotsTimedOut {
  std::uint64_t number;  // of the grant
};
// A host that was given will not come, or has ended.
struct HostMissed {
  std::string host;
  Error error;
};

// --- to the coordinator from what it has the executor do, and from itself ---

// Of all of these: kCancelled where another coordinator has the job.
struct AttemptAllocated {
  std::size_t region;
  Result<Attempt> attempt;
};
struct AttemptsRead {
  Result<std::vector<AttemptId>> attempts;
};
struct JobClaimed {
  Result<Attempt> attempt;
};
// What keeps the job did not answer: what came to nothing of these is tried again.
struct AllocateAgain {
  std::size_t region;
};
struct ReadAgain {};
struct ClaimAgain {};
struct RecordAgain {};
// No more hosts of another coordinator are waited for.
struct TakeoverOver {};
struct MetadataWritten {
  CheckpointId checkpoint;
  Status status;
};
struct PointerSwapped {
  CheckpointId checkpoint;
  Status status;
};
struct SavepointMade {
  Result<std::shared_ptr<CheckpointStore>> store;
};
struct SavepointWritten {
  Status status;
};
struct UnusedRemoved {
  Status status;
};
struct EndRecorded {
  Status status;
};
// A checkpoint is due, or has timed out.
struct CheckpointsDue {
  std::uint64_t number;  // of the one that counts
};
// What is to come after a longer time still.
struct Postponed {
  std::chrono::nanoseconds left;
  caf::message message;
};
struct RestartDelayOver {
  std::size_t region;
};
struct ClosingTimedOut {
  std::size_t region;
  std::string host;
  AttemptId attempt;
};

// --- between a source's tasks and its enumerator, and from the executor to that ---

struct RequestSplit {
  caf::actor reader;
};
struct AssignSplit {
  std::string split;
  std::string schema;
};
struct NoMoreSplits {};
struct SplitsFound {
  Result<StatePiece> splits;
};

// --- from a task to itself, and from what it has the executor do ---

// Go on with what there is to do, after the messages that came before.
struct Work {};
// An idle source's pause is over; one that was overtaken carries an old number.
struct Wake {
  std::uint64_t number;
};
struct KeyedStateWritten {
  CheckpointId checkpoint;
  std::size_t index;  // of the operator in the chain
  Result<KeyedSnapshot> keyed;
};
struct InFlightStored {
  CheckpointId checkpoint;
  Result<StoredFile> file;
};

}  // namespace millrace::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Credit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Connect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Trigger)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CompleteCheckpoint)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AbortCheckpoint)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ResumeSources)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Crash)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ConnectReader)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskOpened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskFinished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TaskClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CheckpointAcknowledged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CheckpointDeclined)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CheckpointCommitted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::EnumeratorFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SplitsAcknowledged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::OpenTasks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::StartTasks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CloseTasks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::OriginFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Serve)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ServeOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::FollowCoordinator)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::LookForCoordinator)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ProgressDue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostProgress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostLost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostReady)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::StartJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CancelJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::NeedSlots)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SeekHosts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::KeepHosts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostGivenUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SlotsGranted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SlotsTimedOut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::HostMissed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RequestSavepoint)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AttemptAllocated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AllocateAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AttemptsRead)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::JobClaimed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ReadAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ClaimAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RecordAgain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::TakeoverOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::MetadataWritten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::PointerSwapped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SavepointMade)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SavepointWritten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::UnusedRemoved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::EndRecorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::CheckpointsDue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Postponed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RestartDelayOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::ClosingTimedOut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::RequestSplit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::AssignSplit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::NoMoreSplits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::SplitsFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::Wake)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::KeyedStateWritten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::detail::InFlightStored)
