#include <ostream>
#include <set>

#include "millrace/core/text.h"
#include "millrace/tools/snapshot_reader.h"
#include "millrace/tools/state_command.h"
#include "millrace/tools/state_rows.h"

namespace millrace::detail {
namespace {

struct Counts {
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;

  bool none() const { return added + removed + changed == 0; }
};

// One side: the rows of a state, if it has that state.
class Side {
 public:
  static Result<Side> open(SnapshotReader& reader, const OperatorState* of,
                           const std::string& state) {
    Side side;
    if (of == nullptr) return side;
    const auto states = of->states();
    const auto found = states.find(state);
    if (found == states.end()) return side;
    Result<RowFormat> format = RowFormat::make(found->second);
    if (!format) return format.error();
    side.format_ = *std::move(format);
    side.rows_ = reader.scan(*of, state);
    Status moved = side.next();
    if (!moved) return moved.error();
    return side;
  }

  bool at_row() const { return at_row_; }
  std::string_view key() const { return rows_->key(); }
  std::string_view value() const { return rows_->value(); }
  const StateDescription& state() const { return rows_->state(); }
  Result<RowText> read() const { return format_->read(key(), value()); }

  Status next() {
    at_row_ = rows_->next();
    return rows_->status();
  }

 private:
  std::optional<RowFormat> format_;
  std::unique_ptr<RowsOfState> rows_;
  bool at_row_ = false;
};

// Both sides' rows of one state, as in a merge.
class Comparison {
 public:
  Comparison(std::string operator_name, std::string state, std::ostream& out, Counts& counts)
      : operator_(std::move(operator_name)), state_(std::move(state)), out_(out), counts_(counts) {}

  Status run(Side before, Side now) {
    while (before.at_row() || now.at_row()) {
      const bool old = before.at_row() && (!now.at_row() || before.key() <= now.key());
      const bool fresh = now.at_row() && (!before.at_row() || now.key() <= before.key());
      Status status = old && fresh ? both(before, now) : old ? one('-', before) : one('+', now);
      if (status && old) status = before.next();
      if (status && fresh) status = now.next();
      if (!status) return status;
    }
    return {};
  }

 private:
  Status one(char sign, const Side& side) {
    const Result<RowText> row = side.read();
    if (!row) return row.error();
    ++(sign == '+' ? counts_.added : counts_.removed);
    out_ << sign << " " << row_name(operator_, state_, *row) << ": " << row->value << "\n";
    return {};
  }

  // The same bytes are the same value only if they are of the same schema.
  Status both(const Side& before, const Side& now) {
    if (before.value() == now.value() &&
        before.state().value_schemas == now.state().value_schemas) {
      return {};
    }
    const Result<RowText> old = before.read();
    if (!old) return old.error();
    const Result<RowText> fresh = now.read();
    if (!fresh) return fresh.error();
    if (old->value == fresh->value) return {};
    ++counts_.changed;
    out_ << "* " << row_name(operator_, state_, *fresh) << ": " << old->value << " -> "
         << fresh->value << "\n";
    return {};
  }

  const std::string operator_;
  const std::string state_;
  std::ostream& out_;
  Counts& counts_;
};

const OperatorState* find(const SnapshotReader& reader, std::uint64_t id) {
  for (const OperatorState& of : reader.operators()) {
    if (of.id == id) return &of;
  }
  return nullptr;
}

Status compare_operator(SnapshotReader& before, SnapshotReader& now, const OperatorState* old,
                        const OperatorState* fresh, std::ostream& out, Counts& counts) {
  std::set<std::string> states;
  for (const OperatorState* of : {old, fresh}) {
    if (of == nullptr) continue;
    for (const auto& [name, state] : of->states()) states.insert(name);
  }
  for (const std::string& state : states) {
    Result<Side> left = Side::open(before, old, state);
    if (!left) return left.error();
    Result<Side> right = Side::open(now, fresh, state);
    if (!right) return right.error();
    Comparison comparison(fresh ? fresh->name : old->name, state, out, counts);
    Status compared = comparison.run(*std::move(left), *std::move(right));
    if (!compared) return compared;
  }
  return {};
}

}  // namespace

Result<bool> compare_state(const std::string& before_path, const std::string& now_path,
                           std::ostream& out) {
  Result<std::unique_ptr<SnapshotReader>> before = SnapshotReader::open(before_path);
  if (!before) return before.error();
  Result<std::unique_ptr<SnapshotReader>> now = SnapshotReader::open(now_path);
  if (!now) return now.error();
  Counts counts;
  for (const OperatorState& old : (*before)->operators()) {
    Status compared = compare_operator(**before, **now, &old, find(**now, old.id), out, counts);
    if (!compared) return compared.error();
  }
  for (const OperatorState& fresh : (*now)->operators()) {
    if (find(**before, fresh.id) != nullptr) continue;
    Status compared = compare_operator(**before, **now, nullptr, &fresh, out, counts);
    if (!compared) return compared.error();
  }
  if (!counts.none()) {
    out << counts.added << " added, " << counts.removed << " removed, " << counts.changed
        << " changed\n";
  }
  return counts.none();
}

}  // namespace millrace::detail
