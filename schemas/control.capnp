# What the coordinator of a job and the hosts of its tasks say to each other, and the leader of a
# cluster and its workers (src/coordination/host_protocol.h and worker_protocol.h have the meaning of
# each message). Both ends are of one version: the handshake of their link sees to that, so nothing
# is kept for older readers.
@0xd0a4c1f25b7e9631;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("millrace::detail::wire");

struct HostCommand {
  union {
    open @0 :OpenTasks;
    start @1 :UInt64;       # an attempt
    close @2 :UInt64;
    trigger @3 :Barrier;
    complete @4 :UInt64;    # a checkpoint
    abort @5 :UInt64;
    resume @6 :Void;
    drain @7 :Void;
  }
}

struct OpenTasks {
  attempt @0 :UInt64;
  epoch @1 :UInt64;
  checkpoint @2 :UInt64;  # that they go on from; 0: none
  origin @3 :Text;        # where that lies; empty: among the job's own checkpoints
  tasks @4 :List(TaskOrder);
  enumerators @5 :List(EnumeratorOrder);
  hosts @6 :List(HostAddress);  # of the region; none if the receiver has all of it
  elsewhere @7 :List(TaskElsewhere);
}

struct HostAddress {
  identity @0 :Text;
  host @1 :Text;  # where its links listen
  port @2 :UInt16;
}

struct TaskElsewhere {
  subtask @0 :UInt32;
  host @1 :UInt32;  # a position in hosts
}

struct TaskOrder {
  subtask @0 :UInt32;
  restored @1 :Data;  # a RestoredTask as a record; empty: nothing
}

struct EnumeratorOrder {
  task @0 :UInt32;
  splits @1 :Data;  # a StatePiece as a record; empty: none
}

struct Barrier {
  checkpoint @0 :UInt64;
  overtakesAt @1 :Int64;  # milliseconds; the greatest: never
  savepoint @2 :Bool;
  path @3 :Text;
  stops @4 :Bool;
  completed @5 :UInt64;  # the last checkpoint before it that is; 0: none
}

struct HostReport {
  attempt @0 :UInt64;
  union {
    opened @1 :UInt32;  # a subtask
    finished @2 :UInt32;
    closed @3 :UInt32;
    failed @4 :TaskFailed;
    acknowledged @5 :Acknowledged;
    declined @6 :Declined;
    committed @7 :Committed;
    enumeratorFailed @8 :EnumeratorFailed;
    splits @9 :Splits;
    ready @10 :Ready;                  # the attempt means nothing with these
    progress @11 :List(TaskProgress);  # in heartbeats
  }
}

struct TaskProgress {
  subtask @0 :UInt32;
  attempt @1 :UInt64;
  recordsIn @2 :UInt64;
  recordsOut @3 :UInt64;
}

struct Ready {
  address @0 :HostAddress;
  plan @1 :UInt64;
  triggered @2 :UInt64;  # a checkpoint
  tasks @3 :List(HeldTask);
  drained @4 :Bool;
}

struct HeldTask {
  subtask @0 :UInt32;
  attempt @1 :UInt64;
  condition @2 :UInt8;  # 0 opening, 1 running, 2 finished, 3 failed, 4 closing
}

struct Failure {
  code @0 :UInt16;
  message @1 :Text;
}

struct TaskFailed {
  subtask @0 :UInt32;
  error @1 :Failure;
  lostPeer @2 :Bool;
}

struct EnumeratorFailed {
  task @0 :UInt32;
  error @1 :Failure;
}

struct Acknowledged {
  subtask @0 :UInt32;
  checkpoint @1 :UInt64;
  snapshot @2 :Data;  # a TaskSnapshot as a record
  savepoint @3 :Bool;
}

struct Declined {
  subtask @0 :UInt32;
  checkpoint @1 :UInt64;
  hasError @2 :Bool;
  error @3 :Failure;
}

struct Committed {
  subtask @0 :UInt32;
  checkpoint @1 :UInt64;
}

struct Splits {
  task @0 :UInt32;
  checkpoint @1 :UInt64;
  splits @2 :Data;  # a StatePiece as a record; empty: they were not looked for yet
}

struct WorkerCommand {
  union {
    start @0 :StartHost;
    stop @1 :HostId;
    part @2 :ArtifactPart;
    readLog @3 :ReadLog;
    redirect @4 :RedirectHost;
  }
}

struct HostId {
  job @0 :Text;
  number @1 :UInt64;
}

struct StartHost {
  host @0 :HostId;
  artifact @1 :Text;  # its SHA-256, in hexadecimal digits
  artifactBytes @2 :UInt64;
  arguments @3 :List(Text);
  directory @4 :Text;
  plan @5 :Data;  # a LogicalPlan of plan.capnp
  settings @6 :List(Setting);
  coordinator @7 :Text;  # host:port
  checkpoints @8 :Text;
}

struct Setting {
  key @0 :Text;
  text @1 :Text;
}

struct RedirectHost {
  host @0 :HostId;
  epoch @1 :UInt64;
  coordinator @2 :Text;  # host:port
}

struct ArtifactPart {
  artifact @0 :Text;
  offset @1 :UInt64;
  bytes @2 :Data;
  hasError @3 :Bool;
  error @4 :Failure;
}

struct ReadLog {
  request @0 :UInt64;
  job @1 :Text;
  bytes @2 :UInt64;
}

struct WorkerReport {
  union {
    register @0 :RegisterWorker;
    ended @1 :HostEnded;
    fetch @2 :FetchArtifact;
    logRead @3 :LogRead;
  }
}

struct RegisterWorker {
  slots @0 :UInt32;
  hosts @1 :List(HostId);
}

struct HostEnded {
  host @0 :HostId;
  error @1 :Failure;
}

struct FetchArtifact {
  artifact @0 :Text;
  offset @1 :UInt64;
}

struct LogRead {
  request @0 :UInt64;
  text @1 :Data;  # as the hosts' processes wrote it, whatever that is
}
