// The engine's options and flags: what docs/reference/config.md lists, and the constants that read
// them. One is added here, to its table and to that page in the same change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "millrace/core/config/arguments.h"
#include "millrace/core/config/config.h"
#include "millrace/core/log.h"
#include "millrace/core/mode.h"
#include "millrace/core/records/key_group.h"

namespace millrace {

inline constexpr Option<std::optional<std::int64_t>> kDefaultParallelism{
    "parallelism.default", "auto",
    "How many subtasks an operator has that names no number itself. Automatic is one per core.",
    IntegerRange{1, kMostMaxParallelism}};

inline constexpr Option<std::optional<std::int64_t>> kMaxParallelism{
    "pipeline.max-parallelism", "auto",
    "The number of key groups, and so the highest parallelism a job can be rescaled to. It cannot "
    "change once a job has state. Automatic is one and a half times the parallelism, rounded up "
    "to a power of two, and at least 128.",
    IntegerRange{1, kMostMaxParallelism}};

inline constexpr Option<Mode> kRuntimeMode{
    "execution.runtime-mode", "automatic",
    "Whether results are emitted as they change (streaming) or once at the end of the input "
    "(batch). Automatic is batch when every source is bounded."};

inline constexpr Option<bool> kOperatorChaining{
    "pipeline.operator-chaining.enabled", "true",
    "Whether operators joined by forward edges run in one task, without a queue between them."};

inline constexpr Option<Duration> kCancellationTimeout{
    "task.cancellation.timeout", "30s",
    "How long a job that is stopped by a signal may take to stop; then the program ends without "
    "it, as where user code never returns or nobody reads what is printed. A savepoint that is "
    "under way is waited for as long before."};

inline constexpr Option<std::optional<Duration>> kCheckpointInterval{
    "execution.checkpointing.interval", "auto",
    "The time from one checkpoint to the next; 0s is none. Automatic is 10 s where a source is "
    "unbounded and none otherwise."};

inline constexpr Option<std::string> kCheckpointDirectory{
    "execution.checkpointing.dir", "",
    "The directory of the job's checkpoints, and of its state while it runs. None is "
    "millrace-data/JOB."};

inline constexpr Option<CheckpointMode> kCheckpointMode{
    "execution.checkpointing.mode", "exactly-once",
    "Whether a record counts once in state after a failure, or once at least: then no channel "
    "waits for the others when a checkpoint passes."};

inline constexpr Option<Duration> kCheckpointTimeout{
    "execution.checkpointing.timeout", "10min",
    "How long a checkpoint may take; then it is given up, and the next one has what it had."};

inline constexpr Option<Duration> kCheckpointPause{
    "execution.checkpointing.min-pause", "0s",
    "The least time from the end of a checkpoint to the beginning of the next."};

inline constexpr Option<Duration> kAlignedTimeout{
    "execution.checkpointing.aligned-timeout", "30s",
    "How long a checkpoint's barrier waits for the records before it where tasks cannot keep up; "
    "then it overtakes them, and they become part of the checkpoint, from which only the same plan "
    "with the same parallelism can go on. Not sooner than the timeout is never."};

inline constexpr Option<std::int64_t> kTolerableFailures{
    "execution.checkpointing.tolerable-failed-checkpoints", "0",
    "How many checkpoints may fail in a row before the job restarts.", IntegerRange{0, 1'000'000}};

inline constexpr Option<std::int64_t> kRetainedCheckpoints{
    "execution.checkpointing.num-retained", "1", "How many completed checkpoints are kept.",
    IntegerRange{1, 1'000}};

inline constexpr Option<CheckpointRetention> kCheckpointRetention{
    "execution.checkpointing.externalized-checkpoint-retention", "delete-on-cancellation",
    "Whether the checkpoints of a job stay when it has ended in a cluster: never, once it has "
    "failed, or also once it was cancelled. Those of a job that has finished, or was stopped "
    "behind a savepoint, go with it. What stays is yours to remove."};

inline constexpr Option<std::string> kSavepointDirectory{
    "execution.checkpointing.savepoint-dir", "",
    "The directory in which savepoints get folders of their own. None is the directory of the "
    "checkpoints. Naming one lets a job that takes no checkpoints take savepoints."};

inline constexpr Option<StateBackend> kStateBackend{
    "state.backend.type", "rocksdb",
    "Where keyed state lives: in memory up to state.memory and beyond that in RocksDB, or all in "
    "memory."};

inline constexpr Option<std::optional<Bytes>> kStateMemory{
    "state.memory", "auto",
    "How much memory keyed state may take before it moves to RocksDB, in this process. Automatic "
    "is a quarter of the machine's."};

inline constexpr Option<bool> kLocalRecovery{
    "execution.state-recovery.from-local", "true",
    "Whether a worker keeps copies of its own of the keyed state in checkpoints, so that a job "
    "that "
    "goes on where it was need not read its state from shared storage."};

inline constexpr Option<std::optional<RestartKind>> kRestartStrategy{
    "restart-strategy.type", "auto",
    "What follows a failure. Automatic is exponential-delay where checkpoints are taken and none "
    "otherwise."};

inline constexpr Option<std::int64_t> kFixedDelayAttempts{"restart-strategy.fixed-delay.attempts",
                                                          "1", "How often the job is restarted.",
                                                          IntegerRange{1, 1'000'000'000}};
inline constexpr Option<Duration> kFixedDelay{"restart-strategy.fixed-delay.delay", "1s",
                                              "The time from a failure to the restart."};

inline constexpr Option<std::int64_t> kFailureRateMost{
    "restart-strategy.failure-rate.max-failures-per-interval", "1",
    "How many failures there may be in any interval.", IntegerRange{1, 1'000'000'000}};
inline constexpr Option<Duration> kFailureRateInterval{
    "restart-strategy.failure-rate.failure-rate-interval", "1min", "The interval."};
inline constexpr Option<Duration> kFailureRateDelay{"restart-strategy.failure-rate.delay", "1s",
                                                    "The time from a failure to the restart."};

inline constexpr Option<Duration> kExponentialInitial{
    "restart-strategy.exponential-delay.initial-backoff", "1s",
    "The time from the first failure to the restart."};
inline constexpr Option<double> kExponentialMultiplier{
    "restart-strategy.exponential-delay.backoff-multiplier", "1.5",
    "How much longer it is from failure to failure."};
inline constexpr Option<Duration> kExponentialMost{"restart-strategy.exponential-delay.max-backoff",
                                                   "1min", "The longest it becomes."};
inline constexpr Option<Duration> kExponentialReset{
    "restart-strategy.exponential-delay.reset-backoff-threshold", "1h",
    "After so long without a failure it begins anew."};
inline constexpr Option<double> kExponentialJitter{
    "restart-strategy.exponential-delay.jitter-factor", "0.1",
    "The part of the delay by which it varies, so that jobs do not restart in step."};

inline constexpr Option<Duration> kHeartbeatInterval{
    "heartbeat.interval", "2s",
    "How often processes of a cluster tell each other that they are alive."};
inline constexpr Option<Duration> kHeartbeatTimeout{
    "heartbeat.timeout", "10s",
    "After how long a silence a process is taken for dead. It is longer than the interval."};

inline constexpr Option<std::string> kCoordinatorBindHost{
    "jobmanager.bind-host", "127.0.0.1",
    "The IP address of the machine at which workers and the jobs' processes reach a "
    "coordinator."};
inline constexpr Option<std::int64_t> kCoordinatorPort{
    "jobmanager.rpc.port", "0",
    "The port at which workers reach a coordinator; 0 is any free one. Workers learn it of the "
    "election.",
    IntegerRange{0, 65'535}};

inline constexpr Option<Duration> kSlotRequestTimeout{
    "slot.request.timeout", "5min",
    "How long a process of a job may take to be fetched, to start and to report, once its slots "
    "are "
    "there. Then it is ended, and the job's tasks are restarted as after a failure."};
inline constexpr Option<SchedulerKind> kScheduler{
    "jobmanager.scheduler", "default",
    "Whether a job waits until there are all slots that it asks for (default), or makes do with "
    "fewer for a time, with less parallelism, and takes more when workers come (adaptive)."};
inline constexpr Option<Duration> kResourceStabilization{
    "jobmanager.adaptive-scheduler.resource-stabilization-timeout", "10s",
    "How long an adaptive job waits for further slots before it goes on with those that there are, "
    "fewer or more than it had."};
inline constexpr Option<Duration> kJobExpiration{
    "jobstore.expiration-time", "1h",
    "How long a cluster remembers a job that has ended; then it is not listed any more, and its id "
    "is free."};
inline constexpr Option<std::int64_t> kJobCapacity{
    "jobstore.max-capacity", "10000",
    "How many jobs that have ended a cluster remembers; of more than these it forgets the oldest.",
    IntegerRange{1, 20'000}};
inline constexpr Option<Duration> kStoreRetention{
    "jobmanager.artifacts.retention", "1h",
    "How long a cluster keeps an executable that no job needs any more, and that nobody has asked "
    "for."};

inline constexpr Option<std::optional<std::int64_t>> kTaskSlots{
    "taskmanager.numberOfTaskSlots", "auto",
    "How many slots a worker offers. A slot takes a subtask of each of a job's tasks. Automatic is "
    "one per core.",
    IntegerRange{1, 4'096}};
inline constexpr Option<std::string> kWorkerBindHost{
    "taskmanager.bind-host", "127.0.0.1",
    "The IP address of the machine at which processes of other machines reach the jobs' "
    "processes that a worker starts."};
inline constexpr Option<std::string> kWorkerId{"taskmanager.resource-id", "",
                                               "The worker's name, which no other of its cluster "
                                               "has. None is one that the worker makes of its "
                                               "machine's name, and keeps in its directory."};
inline constexpr Option<Duration> kArtifactRetention{
    "taskmanager.artifacts.retention", "1h",
    "How long a worker keeps a job's executable, and its own copies of the job's checkpoints, when "
    "no process of the job runs on it any more."};
inline constexpr Option<Duration> kWorkerLogRetention{
    "taskmanager.logs.retention", "7d",
    "How long a worker keeps what a job's process has said, once that has ended."};

inline constexpr Option<HighAvailabilityKind> kHighAvailability{
    "high-availability.type", "none",
    "Where coordinators agree on which of them leads, and keep what the next one must know: in "
    "ZooKeeper, or in a directory of one machine."};
inline constexpr Option<std::string> kHighAvailabilityDirectory{
    "high-availability.storageDir", "",
    "The directory that takes ZooKeeper's place where high-availability.type is none: the "
    "coordinators and workers of a cluster name the same. None is the folder leader in the "
    "directory that a process is given with --dir."};
inline constexpr Option<std::string> kZooKeeperQuorum{
    "high-availability.zookeeper.quorum", "",
    "The addresses of ZooKeeper's servers: host:port, separated by commas."};
inline constexpr Option<std::string> kZooKeeperRoot{
    "high-availability.zookeeper.path.root", "/millrace",
    "The node of ZooKeeper under which each cluster has its own. It is made with those above it."};
inline constexpr Option<std::string> kClusterId{
    "high-availability.cluster-id", "default",
    "The cluster's name, which tells it from others with the same ZooKeeper."};
inline constexpr Option<Duration> kZooKeeperSessionTimeout{
    "high-availability.zookeeper.client.session-timeout", "10s",
    "After how long without contact a coordinator leads no more, and another may. ZooKeeper's "
    "servers bound it to between 2 and 20 of their ticks."};
inline constexpr Option<Duration> kZooKeeperConnectionTimeout{
    "high-availability.zookeeper.client.connection-timeout", "5s",
    "How long a process tries to reach ZooKeeper before it says so in the log, looks the addresses "
    "up again and goes on trying."};
inline constexpr Option<std::string> kZooKeeperAuthorization{
    "high-availability.zookeeper.client.authorization", "",
    "user:password for ZooKeeper's digest scheme. Then only this user may read and change what the "
    "cluster keeps there; without it everybody may who reaches ZooKeeper. The connection is not "
    "encrypted. Put it into a file that others cannot read, or the environment."};

inline constexpr Option<bool> kInternalTls{
    "security.ssl.internal.enabled", "false",
    "Whether processes of a cluster speak TLS with each other, with certificates on both ends."};
inline constexpr Option<std::string> kInternalTlsCertificate{
    "security.ssl.internal.cert", "",
    "The process's certificate in PEM, with those between it and the authority's behind it. It "
    "names what the process may be: an alternative name URI:urn:millrace:role:ROLE for each of "
    "coordinator, worker, host and client."};
inline constexpr Option<std::string> kInternalTlsKey{"security.ssl.internal.key", "",
                                                     "The certificate's key in PEM."};
inline constexpr Option<std::string> kInternalTlsAuthority{
    "security.ssl.internal.ca", "",
    "The certificate in PEM of the authority that has issued those of all processes."};
inline constexpr Option<bool> kAllowPlaintext{
    "security.allow-plaintext", "false",
    "Whether processes may be reached from other machines without TLS. Anyone who can reach them "
    "can then run code in the cluster."};

inline constexpr Option<std::string> kRestAddress{
    "rest.address", "http://127.0.0.1:8081",
    "Where the commands of millrace find the cluster: the addresses of its coordinators, with "
    "commas "
    "between them. --rest and the variable MILLRACE_REST override it."};
inline constexpr Option<std::int64_t> kRestPort{
    "rest.port", "8081", "The port at which a coordinator is asked by HTTP; 0 is any free one.",
    IntegerRange{0, 65'535}};
inline constexpr Option<std::string> kRestBindAddress{
    "rest.bind-address", "127.0.0.1",
    "The IP address at which a coordinator is asked by HTTP, and which others send commands on to "
    "while it leads. Whoever reaches it can run programs in the cluster, so one that is not of "
    "loopback wants security.allow-plaintext."};

inline constexpr Option<LogLevel> kLogLevel{"log.level", "info",
                                            "The least urgent messages that are logged."};

inline constexpr Option<std::string> kLogFile{
    "log.file", "",
    "The file that messages are appended to; it is made with its folders. None is standard error."};

inline constexpr Option<LogFormat> kLogFormat{
    "log.format", "text",
    "Whether a message is a line of text or a JSON object, also on a line of its own."};

inline constexpr ConfigOption kEngineOptions[] = {
    kDefaultParallelism,
    kMaxParallelism,
    kRuntimeMode,
    kOperatorChaining,
    kCheckpointInterval,
    kCheckpointDirectory,
    kCheckpointMode,
    kCheckpointTimeout,
    kCheckpointPause,
    kAlignedTimeout,
    kTolerableFailures,
    kRetainedCheckpoints,
    kCheckpointRetention,
    kSavepointDirectory,
    kStateBackend,
    kStateMemory,
    kLocalRecovery,
    kRestartStrategy,
    kFixedDelayAttempts,
    kFixedDelay,
    kFailureRateMost,
    kFailureRateInterval,
    kFailureRateDelay,
    kExponentialInitial,
    kExponentialMultiplier,
    kExponentialMost,
    kExponentialReset,
    kExponentialJitter,
    kCancellationTimeout,
    kHeartbeatInterval,
    kHeartbeatTimeout,
    kCoordinatorBindHost,
    kCoordinatorPort,
    kSlotRequestTimeout,
    kScheduler,
    kResourceStabilization,
    kJobExpiration,
    kJobCapacity,
    kStoreRetention,
    kTaskSlots,
    kWorkerBindHost,
    kWorkerId,
    kArtifactRetention,
    kWorkerLogRetention,
    kHighAvailability,
    kHighAvailabilityDirectory,
    kZooKeeperQuorum,
    kZooKeeperRoot,
    kClusterId,
    kZooKeeperSessionTimeout,
    kZooKeeperConnectionTimeout,
    kZooKeeperAuthorization,
    kInternalTls,
    kInternalTlsCertificate,
    kInternalTlsKey,
    kInternalTlsAuthority,
    kAllowPlaintext,
    kRestAddress,
    kRestPort,
    kRestBindAddress,
    kLogLevel,
    kLogFile,
    kLogFormat,
};

inline constexpr EngineFlag kEngineFlags[] = {
    {"parallelism", EngineFlag::Value::kRequired, "N",
     "How many subtasks each operator has; default: one per core."},
    {"mode", EngineFlag::Value::kRequired, "MODE",
     "streaming, batch, or automatic (batch when every source is bounded)."},
    {"checkpoint-interval", EngineFlag::Value::kRequired, "TIME",
     "The time between checkpoints; default: 10s for an unbounded job, 0s (none) for others."},
    {"checkpoint-dir", EngineFlag::Value::kRequired, "DIR",
     "Where checkpoints and state go; default: millrace-data/JOB."},
    {"state-backend", EngineFlag::Value::kRequired, "BACKEND",
     "rocksdb (memory up to a limit, then disk; default) or memory."},
    {"state-memory", EngineFlag::Value::kRequired, "SIZE",
     "Memory for keyed state, such as 4GB; default: a quarter of the machine's."},
    {"restore", EngineFlag::Value::kRequired, "FROM",
     "latest (go on from the last checkpoint), none (start afresh), or the path of a savepoint, of "
     "a checkpoint, or of another job's directory of checkpoints."},
    {"allow-dropped-state", EngineFlag::Value::kNone, "",
     "Restore although the job lacks operators whose state is then lost."},
    {"allow-repeated-output", EngineFlag::Value::kNone, "",
     "Restore although the job has completed newer checkpoints, at which its sinks have committed "
     "what they will now be given again."},
    {"savepoint-dir", EngineFlag::Value::kRequired, "DIR",
     "Where savepoints go, which SIGUSR1 asks for; default: the directory of checkpoints."},
    {"savepoint-on-stop", EngineFlag::Value::kOptional, "HOW",
     "SIGINT and SIGTERM take a savepoint and stop behind it; =drain ends the input first."},
    {"config", EngineFlag::Value::kRequired, "FILE", "Settings in YAML; default: millrace.yaml."},
    {"plan", EngineFlag::Value::kOptional, "FORMAT",
     "Print the plan as text, json or capnp, and do not run; or as submission, with the settings, "
     "as a cluster takes it."},
    {"host", EngineFlag::Value::kRequired, "FILE",
     "A worker gives it to the processes that it starts: run a part of the job, as FILE says."},
};

}  // namespace millrace
