// How keyed state finds rows that are not in memory: in what the writer was given, and in the
// database.
#include "millrace/state/keyed_state.h"

#include <algorithm>

namespace millrace::detail {
namespace {

Status give_rows(RowScan& scan, const KeyedState::Found& found) {
  for (;;) {
    const Result<bool> more = scan.next();
    if (!more) return more.error();
    if (!*more) return {};
    Status given = found(scan.key(), scan.value());
    if (!given) return given;
  }
}

}  // namespace

std::optional<StateRow> KeyedState::find_unwritten(std::string_view key) {
  std::optional<StateRow> found = changes_.find(key);
  if (!found) found = images_.find(key);
  if (!found) found = in_order_.find(key);
  for (auto handed = handed_over_.rbegin(); !found && handed != handed_over_.rend(); ++handed) {
    found = handed->rows->find(key);
  }
  return found;
}

Status KeyedState::load(std::span<const std::string> keys,
                        const std::function<void(std::size_t, std::string_view)>& found) {
  std::vector<std::string_view> wanted;
  std::vector<std::size_t> numbers;
  forget_written();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const std::optional<StateRow> row = find_unwritten(keys[i])) {
      if (row->value) found(i, std::string(*row->value));  // a copy: found() may save rows
      continue;
    }
    wanted.push_back(keys[i]);
    numbers.push_back(i);
  }
  if (wanted.empty() || writer_->store() == nullptr) return {};
  asked_ += wanted.size();
  return writer_->store()->get(
      wanted, [&](std::size_t i, std::string_view value) { found(numbers[i], value); });
}

Status KeyedState::load_group(std::string_view group, const Found& found) {
  if (writer_->store() != nullptr) ++asked_;
  forget_written();
  RowBuffer::Changes unwritten;
  for (const HandedOver& handed : handed_over_) handed.rows->find_group(group, unwritten);
  in_order_.find_group(group, unwritten);
  images_.find_group(group, unwritten);
  changes_.find_group(group, unwritten);
  RowScan scan(std::move(unwritten), writer_, group, end_of(group));
  return give_rows(scan, found);
}

std::unique_ptr<RowScan> KeyedState::scan_all(std::string_view prefix) {
  const std::string end = end_of(prefix);
  forget_written();
  RowBuffer::Changes unwritten;
  for (const HandedOver& handed : handed_over_) handed.rows->find_range(prefix, end, unwritten);
  in_order_.find_range(prefix, end, unwritten);
  images_.find_range(prefix, end, unwritten);
  changes_.find_range(prefix, end, unwritten);
  return std::make_unique<RowScan>(std::move(unwritten), writer_, prefix, end);
}

Status KeyedState::load_all(std::string_view prefix, const Found& found) {
  return give_rows(*scan_all(prefix), found);
}

void KeyedState::learn(std::string_view key) {
  const auto part = std::ranges::find(parts_, id_in(key), &StatePart::id);
  if (part != parts_.end()) (*part)->rows().evicted().learn(upper_half_in(key));
}

void KeyedState::learn_some() {
  for (StatePart* const part : parts_) learn_some(*part);
}

// Reads as many rows of a restored database as have been asked for in vain, and all that lie at the
// same place as the last one.
void KeyedState::learn_some(StatePart& part) {
  EvictedRows& evicted = part.rows().evicted();
  std::size_t left = evicted.worth_learning();
  if (left == 0 || writer_->store() == nullptr) return;
  const std::string prefix = prefix_of(part.id());
  const auto scan = writer_->store()->scan(place_of(prefix, evicted.known_to()), end_of(prefix));
  std::uint64_t last = evicted.known_to();
  while (scan->next()) {
    const std::uint64_t upper = upper_half_in(scan->key());
    if (left == 0 && upper != last) return evicted.learned_to(upper);
    if (left > 0) --left;
    evicted.learn(last = upper);
  }
  if (scan->status()) evicted.learned_to(range_.end);
}

}  // namespace millrace::detail
