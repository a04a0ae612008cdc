#include "millrace/coordination/job_restore.h"

#include <algorithm>
#include <set>

#include "millrace/core/text.h"
#include "millrace/plan/fingerprint.h"
#include "millrace/state/redistribution.h"

namespace millrace::detail {
namespace {

struct SubtaskSnapshot {
  const OperatorSnapshot* snapshot = nullptr;
  bool finished = false;
};

// One operator as the checkpoint has it, by subtask.
using FoundOperator = std::vector<SubtaskSnapshot>;
using FoundOperators = std::map<std::uint64_t, FoundOperator>;

Error damaged(const OperatorSnapshot& snapshot) {
  return corruption(concat("operator ", in_quotes(snapshot.name),
                           ": the checkpoint's metadata has a snapshot of subtask ",
                           snapshot.subtask, " of ", snapshot.parallelism,
                           " twice or not at all; restore another checkpoint"));
}

Result<FoundOperators> find_operators(const CheckpointMetadata& metadata) {
  FoundOperators found;
  for (const TaskSnapshot& task : metadata.tasks) {
    for (const OperatorSnapshot& snapshot : task.operators) {
      FoundOperator& subtasks = found[snapshot.id];
      subtasks.push_back({&snapshot, task.finished});
    }
  }
  for (auto& [id, subtasks] : found) {
    std::ranges::sort(subtasks, {}, [](const SubtaskSnapshot& s) { return s.snapshot->subtask; });
    for (std::size_t i = 0; i < subtasks.size(); ++i) {
      const OperatorSnapshot& snapshot = *subtasks[i].snapshot;
      if (snapshot.subtask != i || snapshot.parallelism != subtasks.size()) {
        return damaged(snapshot);
      }
    }
  }
  return found;
}

bool holds_state(const FoundOperator& subtasks) {
  return std::ranges::any_of(subtasks, [](const SubtaskSnapshot& subtask) {
    return !subtask.snapshot->pieces.empty() || !subtask.snapshot->keyed.empty();
  });
}

std::uint64_t bytes_of(const OperatorSnapshot& snapshot) {
  std::uint64_t bytes = 0;
  for (const auto& [name, piece] : snapshot.pieces) {
    for (const std::string& element : piece.elements) bytes += element.size();
  }
  for (const KeyedSnapshot& keyed : snapshot.keyed) {
    for (const StoredFile& file : keyed.files) bytes += file.bytes;
    for (const RowsFile& rows : keyed.rows) bytes += rows.file.bytes;
  }
  return bytes;
}

// "'count' (1024 bytes)"
std::string with_size(const FoundOperator& subtasks) {
  std::uint64_t bytes = 0;
  for (const SubtaskSnapshot& subtask : subtasks) bytes += bytes_of(*subtask.snapshot);
  return concat(in_quotes(subtasks.front().snapshot->name), " (", bytes, " bytes)");
}

Status check_none_dropped(const ExecutionPlan& plan, const CheckpointMetadata& metadata,
                          const FoundOperators& found) {
  std::set<std::uint64_t> known;
  for (const OperatorSpec& spec : plan.logical.operators) known.insert(spec.id.value());
  std::string dropped;
  bool none_is_known = true;
  for (const auto& [id, subtasks] : found) {
    none_is_known = none_is_known && !known.contains(id);
    if (known.contains(id) || !holds_state(subtasks)) continue;
    dropped += concat(dropped.empty() ? "" : ", ", with_size(subtasks));
  }
  if (dropped.empty()) return {};
  const std::string whose =
      none_is_known
          ? concat("; it is one of the job ", in_quotes(metadata.job),
                   ", and none of its operators is one of this job's: is it the right one?")
          : std::string();
  return invalid_argument(
      concat("the checkpoint holds state of operators that the job does not have: ", dropped, whose,
             "; give the operators their names back with .named(...), or allow their state to be "
             "dropped (--allow-dropped-state)"));
}

class OperatorRestore {
 public:
  OperatorRestore(const OperatorSpec& spec, const TaskSpec& task, const FoundOperator* found)
      : spec_(spec), task_(task), found_(found) {
    if (found_ == nullptr) return;
    std::vector<const Snapshot::Pieces*> pieces;
    for (const SubtaskSnapshot& subtask : *found_) {
      pieces_.emplace_back(subtask.snapshot->pieces.begin(), subtask.snapshot->pieces.end());
    }
    for (const Snapshot::Pieces& of_subtask : pieces_) pieces.push_back(&of_subtask);
    snapshots_ = redistribute(pieces, task_.parallelism);
  }

  Status check_key_groups() const {
    if (found_ == nullptr) return {};
    for (const SubtaskSnapshot& subtask : *found_) {
      const OperatorSnapshot& snapshot = *subtask.snapshot;
      if (snapshot.keyed.empty() || snapshot.max_parallelism == task_.max_parallelism) continue;
      return invalid_argument(concat(describe(spec_), " has a maximum parallelism of ",
                                     task_.max_parallelism, ", but its keyed state was made with ",
                                     snapshot.max_parallelism, ", which cannot change: set it to ",
                                     snapshot.max_parallelism));
    }
    return {};
  }

  bool finished(std::uint32_t subtask) const {
    if (found_ == nullptr) return false;
    if (found_->size() == task_.parallelism) return (*found_)[subtask].finished;
    return std::ranges::all_of(*found_, &SubtaskSnapshot::finished);
  }

  RestoredOperator operator()(std::uint32_t subtask) {
    if (found_ == nullptr) return {};
    RestoredOperator restored{.snapshot = std::move(snapshots_[subtask])};
    const KeyGroupRange groups = task_.key_groups().range_of(SubtaskIndex(subtask));
    for (const SubtaskSnapshot& before : *found_) {
      for (const KeyedSnapshot& keyed : before.snapshot->keyed) {
        const bool overlaps =
            keyed.first_group <= groups.last.value() && keyed.last_group >= groups.first.value();
        if (overlaps) restored.keyed.push_back(keyed);
      }
    }
    return restored;
  }

 private:
  const OperatorSpec& spec_;
  const TaskSpec& task_;
  const FoundOperator* found_;
  std::vector<Snapshot::Pieces> pieces_;
  std::vector<Snapshot> snapshots_;  // by subtask
};

// A chain goes on as a whole: what has ended cannot be one with what has not.
Error half_finished(const TaskSpec& task) {
  return unsupported(concat("the checkpoint was taken when some of the operators of ",
                            in_quotes(task.name),
                            " had ended and others had not, and they ran in different tasks; "
                            "restore it with the chains that it was taken with"));
}

Result<std::vector<RestoredTask>> restore_task(const ExecutionPlan& plan, const TaskSpec& task,
                                               const FoundOperators& found) {
  std::vector<RestoredTask> subtasks(task.parallelism);
  std::vector<std::size_t> finished(task.parallelism);
  for (const OperatorIndex index : task.operators) {
    const OperatorSpec& spec = plan.logical.at(index);
    const auto of_operator = found.find(spec.id.value());
    OperatorRestore restore(spec, task,
                            of_operator == found.end() ? nullptr : &of_operator->second);
    if (Status checked = restore.check_key_groups(); !checked) return checked.error();
    for (std::uint32_t i = 0; i < task.parallelism; ++i) {
      subtasks[i].operators.push_back(restore(i));
      if (restore.finished(i)) ++finished[i];
    }
  }
  for (std::uint32_t i = 0; i < task.parallelism; ++i) {
    subtasks[i].finished = finished[i] == task.operators.size();
    if (finished[i] > 0 && !subtasks[i].finished) return half_finished(task);
  }
  return subtasks;
}

bool is_same_task(const ExecutionPlan& plan, const TaskSpec& task, const TaskSnapshot& snapshot) {
  return std::ranges::equal(snapshot.operators, task.operators,
                            [&](const OperatorSnapshot& before, OperatorIndex now) {
                              return before.id == plan.logical.at(now).id.value() &&
                                     before.parallelism == task.parallelism;
                            });
}

// Records between two tasks are only of use to tasks of the same channels.
Status give_in_flight(const ExecutionPlan& plan, const CheckpointMetadata& metadata,
                      RestoredJob& restored) {
  const bool none = std::ranges::all_of(
      metadata.tasks, [](const TaskSnapshot& task) { return task.in_flight.empty(); });
  if (none) return {};
  const Error changed = unsupported(
      "the checkpoint holds records that were in flight, since a task could not keep up when it "
      "was "
      "taken (execution.checkpointing.aligned-timeout); restore it with the plan and the "
      "parallelism that it was taken with, or restore a savepoint");
  for (const TaskSnapshot& snapshot : metadata.tasks) {
    const auto task = std::ranges::find_if(plan.tasks, [&](const TaskSpec& candidate) {
      return is_same_task(plan, candidate, snapshot);
    });
    if (task == plan.tasks.end() || snapshot.operators.empty()) return changed;
    const std::uint32_t subtask = snapshot.operators.front().subtask;
    restored.tasks[task->id.value()][subtask].in_flight = snapshot.in_flight;
  }
  return metadata.fingerprint == fingerprint_number(plan.logical) ? Status() : changed;
}

}  // namespace

Result<RestoredJob> restore_job(const ExecutionPlan& plan, const CheckpointMetadata& metadata,
                                bool allow_dropped_state) {
  Result<FoundOperators> found = find_operators(metadata);
  if (!found) return found.error();
  if (!allow_dropped_state) {
    if (Status kept = check_none_dropped(plan, metadata, *found); !kept) return kept.error();
  }
  RestoredJob restored{.checkpoint = {CheckpointId(metadata.id), metadata.epoch},
                       .enumerators = metadata.enumerators};
  for (const TaskSpec& task : plan.tasks) {
    Result<std::vector<RestoredTask>> subtasks = restore_task(plan, task, *found);
    if (!subtasks) return subtasks.error();
    restored.tasks.push_back(*std::move(subtasks));
  }
  Status given = give_in_flight(plan, metadata, restored);
  if (!given) return given.error();
  return restored;
}

}  // namespace millrace::detail
