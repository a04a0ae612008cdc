// A whole job under test, in virtual time, without files, ports or sleeping:
//
//   test::TestRun job(fraud, {{"input", "unused"}, {"output", "unused"}});
//   job.feed<Payment>("payments", {{"alice", 1, at(0s)}, {"alice", 90'000, at(30s)}});
//   EXPECT_EQ(job.crash_between_records().results<Alert>("alerts").size(), 1);
//
// The job function is called as by run(), with these parameters. Its operators are what runs; its
// sources emit what the test feeds, and nothing where it feeds nothing; its sinks keep in memory
// what they would show. Both go by the names that the job gave with .named() or print("...").
//
// Records come one by one, over all sources in the order in which they were fed, and the job is
// done with one before the next; behind each comes a watermark, where the source has event time.
// After its last record a bounded source ends; one without end is open until all records were read.
// The mode is the job's own: where all its sources are bounded, rolling aggregates come at the end.
//
// The same seed gives the same run, step by step. Everything runs on the caller's thread. What is
// wrong, with the test or with the job, is thrown as a std::runtime_error.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "millrace/core/mode.h"
#include "millrace/core/records/batch.h"

namespace millrace {
class Job;
}

namespace millrace::detail {
class JobUnderTest;
}

namespace millrace::test {

struct TestRunOptions {
  std::uint32_t parallelism = 1;  // of operators that do not say
  std::uint64_t seed = 0;
  Mode mode = Mode::kAutomatic;
};

class TestRun {
 public:
  explicit TestRun(const std::function<void(Job&)>& job,
                   const std::map<std::string, std::string>& parameters = {},
                   TestRunOptions options = {});
  ~TestRun();
  TestRun(TestRun&&) noexcept;
  TestRun& operator=(TestRun&&) noexcept;

  // Further records of a source, behind all that was fed before.
  template <class T>
  TestRun& feed(std::string_view source, std::vector<T> records) {
    static_assert(std::is_copy_assignable_v<T>,
                  "Millrace: records that are fed must be copyable, since a crash has them read "
                  "again");
    detail::BatchPtr batch = detail::make_batch<T>();
    for (auto&& record : records) {
      static_cast<detail::Batch<T>&>(*batch).push(T(std::move(record)));
    }
    add(source, std::move(batch));
    return *this;
  }

  // Runs the job over all that was fed, to its end.
  TestRun& run();

  // The same, and then again and again: with a crash behind each record, of the process and of a
  // task, just before a checkpoint and just after it; of many records, behind 50 of them. Throws if
  // what a sink has shown in the end depends on that. Records may then come in another order,
  // unless their way is one chain of operators without any parallelism.
  TestRun& crash_between_records();

  // What a sink has shown, one subtask after the other. Runs the job first if it has not.
  template <class T>
  std::vector<T> results(std::string_view sink) {
    static_assert(std::is_copy_constructible_v<T>,
                  "Millrace: results() gives copies, so the sink's records must be copyable");
    std::vector<T> all;
    for (const detail::BatchPtr& batch : shown(sink, typeid(T))) {
      const auto values = std::as_const(static_cast<detail::Batch<T>&>(*batch)).values();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

 private:
  void add(std::string_view source, detail::BatchPtr records);
  std::vector<detail::BatchPtr> shown(std::string_view sink, const std::type_info& type);

  std::unique_ptr<detail::JobUnderTest> job_;
};

}  // namespace millrace::test
