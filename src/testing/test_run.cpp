#include "millrace/testing/test_run.h"

#include "millrace/testing/job_under_test.h"
#include "millrace/testing/or_throw.h"

namespace millrace::test {

using detail::throw_if_failed;
using detail::value_or_throw;

TestRun::TestRun(const std::function<void(Job&)>& job,
                 const std::map<std::string, std::string>& parameters, TestRunOptions options)
    : job_(value_or_throw(detail::JobUnderTest::make(job, parameters, options))) {}

TestRun::~TestRun() = default;
TestRun::TestRun(TestRun&&) noexcept = default;
TestRun& TestRun::operator=(TestRun&&) noexcept = default;

TestRun& TestRun::run() {
  throw_if_failed(job_->run());
  return *this;
}

TestRun& TestRun::crash_between_records() {
  throw_if_failed(job_->crash_between_records());
  return *this;
}

void TestRun::add(std::string_view source, detail::BatchPtr records) {
  throw_if_failed(job_->feed(source, std::move(records)));
}

std::vector<detail::BatchPtr> TestRun::shown(std::string_view sink, const std::type_info& type) {
  return value_or_throw(job_->shown(sink, type));
}

}  // namespace millrace::test
