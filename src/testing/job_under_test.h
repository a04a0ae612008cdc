// The core of TestRun: a planned job whose sources and sinks are replaced in each run, and the
// places where it crashes. Returns its errors, which TestRun throws.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "millrace/actors/simulated_cluster.h"
#include "millrace/plan/execution_plan.h"
#include "millrace/plan/job_code.h"
#include "millrace/testing/captured.h"
#include "millrace/testing/fed_source.h"
#include "millrace/testing/test_run.h"

namespace millrace::detail {

class JobUnderTest {
 public:
  static Result<std::unique_ptr<JobUnderTest>> make(
      const std::function<void(Job&)>& job, const std::map<std::string, std::string>& parameters,
      const test::TestRunOptions& options);

  JobUnderTest(ExecutionPlan plan, JobCode code, std::uint64_t seed)
      : plan_(std::move(plan)), code_(std::move(code)), seed_(seed) {}

  Status feed(std::string_view source, BatchPtr records);
  Status run();
  Status crash_between_records();
  Result<std::vector<BatchPtr>> shown(std::string_view sink, const std::type_info& type);

 private:
  using Shown = std::map<std::string, std::shared_ptr<Captured>>;  // by sink

  struct FedPlace {
    std::string source;
    std::size_t row;
  };

  struct Crash {
    bool of_process = false;
    std::size_t record = 0;  // behind which it comes, from 1
  };

  Result<const OperatorSpec*> find(bool OperatorSpec::*kind, std::string_view kind_name,
                                   std::string_view name) const;
  const OperatorCode& code_of(const OperatorSpec& spec) const {
    return code_.operators.at(spec.id);
  }
  // Of the operator whose records the sink takes.
  const EdgeSpec& edge_to(const OperatorSpec& sink) const;
  const Type& type_of_sink(const OperatorSpec& sink) const;
  bool has_an_order(const OperatorSpec& sink) const;

  OperatorFactory make_source(const OperatorSpec& spec) const;
  Result<Shown> run_with(std::optional<Crash> crash) const;
  Status compare_with(const Crash& crash) const;
  std::string describe_crash(const Crash& crash) const;

  // Records between two checkpoints, and between two places of a crash.
  std::size_t stride() const;

  ExecutionPlan plan_;
  JobCode code_;
  std::uint64_t seed_;
  std::map<std::string, FedRecords> fed_;  // by source
  std::vector<FedPlace> order_;            // of all records
  std::optional<Shown> shown_;             // by the last run without a crash
};

}  // namespace millrace::detail
