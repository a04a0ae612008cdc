#include "millrace/testing/verifier/account_check.h"

#include <set>

#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"

namespace millrace::test {
namespace {

std::string text_of(const Tally& tally) {
  return concat("count ", tally.count, ", next round ", tally.next, ", sum ", tally.sum, ", hash ",
                tally.hash, ", ", tally.altered, " altered");
}

class AccountCheck {
 public:
  AccountCheck(const EventPattern& pattern, const Account& account, Verdict& verdict)
      : pattern_(pattern), account_(account), verdict_(verdict) {}

  void run() {
    for (const Jump& jump : account_.jumps) follow(jump);
    for (std::uint64_t round = account_.tally.next; round < pattern_.rounds; ++round) {
      missing_.insert(round);
    }
    for (const std::uint64_t round : missing_) {
      tell(Harm::kLost, round);
      count(round, -1);
    }
    check_tally();
  }

 private:
  void follow(const Jump& jump) {
    for (std::uint64_t round = jump.expected; round < jump.found; ++round) missing_.insert(round);
    if (jump.found >= jump.expected) return;
    if (missing_.erase(jump.found) > 0) return tell(Harm::kReordered, jump.found);
    tell(Harm::kDuplicated, jump.found);
    count(jump.found, 1);
  }

  std::uint64_t sequence_of(std::uint64_t round) const {
    return pattern_.sequence_of(account_.partition, account_.key, round);
  }

  void tell(Harm harm, std::uint64_t round) {
    verdict_.add(Level::kState, harm,
                 concat("event ", sequence_of(round), " of partition ", account_.partition,
                        " (key ", account_.key, ", round ", round, ")"));
  }

  void count(std::uint64_t round, int times) {
    told_.count += static_cast<std::uint64_t>(times);
    told_.sum += static_cast<std::uint64_t>(times) * sequence_of(round);
    told_.hash ^= detail::mix64(sequence_of(round));
  }

  // What the events that came must add up to.
  void check_tally() {
    Tally expected;
    for (std::uint64_t round = 0; round < pattern_.rounds; ++round) {
      expected.add(pattern_, pattern_.event(account_.partition, sequence_of(round)));
    }
    expected.count += told_.count;
    expected.sum += told_.sum;
    expected.hash ^= told_.hash;
    expected.next = account_.tally.next;
    if (account_.tally == expected) return;
    verdict_.add(Level::kState, Harm::kAltered,
                 concat("the account of partition ", account_.partition, ", key ", account_.key,
                        ": ", text_of(account_.tally), "; expected ", text_of(expected)));
  }

  const EventPattern& pattern_;
  const Account& account_;
  Verdict& verdict_;
  std::set<std::uint64_t> missing_;  // rounds
  Tally told_;                       // of the events that are lost or duplicated
};

}  // namespace

void check_account(const EventPattern& pattern, const Account& account, Verdict& verdict) {
  AccountCheck(pattern, account, verdict).run();
}

}  // namespace millrace::test
