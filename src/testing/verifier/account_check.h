// Says from a key's account what happened to its events on their way into state.
#pragma once

#include "millrace/testing/verifier/verdict.h"
#include "millrace/testing/verifier/witness.h"

namespace millrace::test {

// Adds each event that is lost, duplicated or reordered, and what else is wrong with the account.
void check_account(const EventPattern& pattern, const Account& account, Verdict& verdict);

}  // namespace millrace::test
