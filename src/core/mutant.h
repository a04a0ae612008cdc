// Ways in which the engine is broken on purpose, one at a time, to prove that the verifier finds
// each. Tests compile what a mutant changes once more, with MILLRACE_MUTANTS defined, and choose it
// at run time. Otherwise is_mutant() is false for the compiler, and nothing of this is in the code.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::detail {

// clang-format off
enum class Mutant : std::uint8_t {
  kNone,
  kSkipAlignment,           // one channel is not held behind its barrier
  kBarrierOvertakes,        // what a sender still has to send
  kForgetInFlight,          // the records that a barrier was to overtake
  kCommitBeforeCompletion,  // sinks show what they have prepared
  kForgetCommittable,       // one of what a checkpoint says was prepared, at restore
  kLeaveSinkUnprepared,     // at every other barrier
  kWrongKeyGroups,          // the first is left out after a change of parallelism
  kEvictDuringFreeze,       // rows that came after the barrier get into its checkpoint
  kChangeBeforeSaving,      // a frozen page is changed before it was saved
  kReuseFileName,           // a file of that name counts as uploaded, whatever its content is
  kAcknowledgeBeforeUpload,  // with the files of the checkpoint before
  kDropRecord,              // the first of one of many batches
  kDuplicateBatch,          // one of many
  kReorderBatches,          // of one channel
  kForgetTimers,            // they are not saved
  kForgetRemovals,          // what is removed from state stays in the database
  kLoseSplit,               // the position of one that is being read
  kRestoreOlder,            // a checkpoint, though a newer one is complete
  kEnd,                     // none: the number of them
};
// clang-format on

inline constexpr std::size_t kMutants = static_cast<std::size_t>(Mutant::kEnd);

inline constexpr std::array<std::string_view, kMutants> kMutantWords{
    "none",
    "skip-alignment",
    "barrier-overtakes",
    "forget-in-flight",
    "commit-before-completion",
    "forget-committable",
    "leave-sink-unprepared",
    "wrong-key-groups",
    "evict-during-freeze",
    "change-before-saving",
    "reuse-file-name",
    "acknowledge-before-upload",
    "drop-record",
    "duplicate-batch",
    "reorder-batches",
    "forget-timers",
    "forget-removals",
    "lose-split",
    "restore-older",
};

constexpr std::string_view to_string(Mutant mutant) {
  return kMutantWords[static_cast<std::size_t>(mutant)];
}

#ifdef MILLRACE_MUTANTS
inline namespace mutated {

inline Mutant chosen_mutant = Mutant::kNone;

inline std::atomic<std::size_t> mutant_calls{0};

// True with every so manieth call.
inline bool is_mutant(Mutant mutant, std::size_t every = 1) {
  return mutant == chosen_mutant && ++mutant_calls % every == 0;
}

}  // namespace mutated
#else
constexpr bool is_mutant(Mutant, std::size_t = 1) { return false; }
#endif

}  // namespace millrace::detail
