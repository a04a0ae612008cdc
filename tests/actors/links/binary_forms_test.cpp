#include "millrace/actors/links/binary_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/core/records/record.h"
#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

TEST(CheckBinaryForms, NamesTheOperatorsOfRecordsThatCannotCross) {
  PlanBuilder builder("job");
  builder.set_parallelism(2);
  const auto source = builder.add_operator(source_spec());
  const auto sink = builder.add_operator(sink_spec());
  builder.connect({.from = source, .to = sink, .exchange = Exchange::kRebalance});
  DeployedJob job{*make_execution_plan(*builder.build()), {}};
  const OperatorSpec& from = job.plan.logical.operators.front();
  OperatorCode code;
  code.outputs = {[] { return make_batch<Payment>(); }};
  job.code.operators.emplace(from.id, code);
  const Status refused = check_binary_forms(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr(from.name));
  job.code.operators.at(from.id).types = {&type_of<Payment>()};
  EXPECT_TRUE(check_binary_forms(job));
}

}  // namespace
}  // namespace millrace::detail
