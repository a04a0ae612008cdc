// Decodes arbitrary bytes as a plan. Whatever is accepted must survive encoding again, planning and
// printing. To run under libFuzzer, compile with clang++ -fsanitize=fuzzer,address; plan_test calls
// it with mutated plans.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/core/check.h"
#include "millrace/plan/channels.h"
#include "millrace/plan/fingerprint.h"
#include "millrace/plan/plan_codec.h"
#include "millrace/plan/plan_text.h"
#include "millrace/plan/plan_validation.h"

namespace millrace::detail {
namespace {

void try_logical(std::string_view bytes) {
  const Result<LogicalPlan> plan = decode_logical_plan(bytes);
  if (!plan) return;
  check(*decode_logical_plan(encode(*plan)) == *plan, "a decoded plan survives a round trip");
  check(!first_difference(*plan, *plan), "a plan does not differ from itself");
  (void)fingerprint(*plan);
  (void)warnings(*plan);
  const Result<ExecutionPlan> planned = make_execution_plan(*plan);
  if (planned) check(validate(*planned).has_value(), "what was planned fits together");
}

void try_execution(std::string_view bytes) {
  const Result<ExecutionPlan> plan = decode_execution_plan(bytes);
  if (!plan) return;
  check(*decode_execution_plan(encode(*plan)) == *plan, "a decoded plan survives a round trip");
  (void)to_text(*plan);
  (void)to_json(*plan);
}

}  // namespace
}  // namespace millrace::detail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  millrace::detail::try_logical(bytes);
  millrace::detail::try_execution(bytes);
  return 0;
}
