// Records of 100 bytes from one process to another behind key_by, in a real job: sources, keyed
// functions, credit, links, as they are deployed on two hosts. One way, and both ways at once: then
// each process has a source, and the functions that take what the other one's source emits.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>

#include "integration/jobs.h"
#include "millrace/actors/hosted_cluster.h"
#include "millrace/actors/job_host.h"
#include "millrace/connect.h"
#include "millrace/millrace.h"
#include "support.h"

namespace millrace::bench {
namespace {

constexpr std::size_t kRecordBytes = 100;
constexpr std::uint64_t kRecords = 16'000'000;  // of a source
constexpr std::uint32_t kFunctions = 4;         // subtasks, to which a source scatters by key
constexpr int kRepeats = 3;

struct Numbers {
  std::uint64_t key = 0;
  std::array<std::int64_t, 11> values{};
  std::int32_t kind = 0;
};
struct Text {
  std::uint64_t key = 0;
  std::int64_t value = 0;
  std::string name;  // 84 characters
};

void fill(std::uint64_t key, Numbers& record) {
  record.key = key;
  record.values.fill(1);
  record.kind = 2;
}
void fill(std::uint64_t key, Text& record) {
  record.key = key;
  record.value = 1;
  record.name.assign(84, 'x');
}

template <class T>
class Records final : public Source<T> {
 public:
  static constexpr bool kBounded = true;

  Result<Poll> poll(Collector<T>& out) override {
    while (next_ < kRecords && !out.full()) {
      out.emit_with([&](T& record) { fill(++next_, record); });
    }
    return next_ < kRecords ? Poll::more() : Poll::end();
  }

 private:
  std::uint64_t next_ = 0;
};

// Of this process.
std::atomic<std::uint64_t> sum{0};

template <class T>
class Sum final : public KeyedProcess<std::uint64_t, T, std::int64_t> {
 public:
  using Base = KeyedProcess<std::uint64_t, T, std::int64_t>;

  ~Sum() override { sum += sum_; }
  void process(const T& record, typename Base::Context&, Collector<std::int64_t>&) override {
    sum_ += record.key;
  }

 private:
  std::uint64_t sum_ = 0;
};

template <class T>
void pass(Job& job, const std::string& name) {
  job.from(source<Records<T>>())
      .named("source " + name)
      .parallelism(1)
      .key_by(&T::key)
      .template process<Sum<T>>()
      .named("sum " + name)
      .parallelism(kFunctions)
      .to(discard())
      .named("discard " + name)
      .parallelism(kFunctions);
}

template <class T>
test_support::PlannedJob planned(bool both) {
  auto job = test_support::plan_job([both](Job& described) {
    pass<T>(described, "there");
    if (both) pass<T>(described, "back");
  });
  expect(job.has_value(), "the job cannot be planned");
  return *std::move(job);
}

// A source where the functions of the other one are.
Result<detail::Placement> crosswise(const detail::ExecutionPlan& plan,
                                    std::span<const detail::Subtask> subtasks,
                                    std::span<const detail::HostAddress> hosts) {
  detail::Placement placement{.hosts = {hosts.begin(), hosts.end()}, .host_of = {}};
  for (const detail::Subtask& subtask : subtasks) {
    const std::string& name = plan.at(subtask.task).name;
    const bool back = name.find("back") != std::string::npos;
    const bool is_source = name.starts_with("source");
    placement.host_of.push_back(is_source == back ? 0 : 1);
  }
  return placement;
}

detail::LinkedProcess process(std::string identity) {
  return {.cluster = "bench", .identity = std::move(identity), .threads = 2, .seed = 1};
}

template <class T>
std::unique_ptr<detail::JobHost> host(const std::string& identity, bool both, std::uint16_t port,
                                      const Logging& logging) {
  test_support::PlannedJob job = planned<T>(both);
  return std::make_unique<detail::JobHost>(
      process(identity),
      detail::HostedJob{.id = JobId(1), .plan = std::move(job.plan), .code = std::move(job.code)},
      detail::LinkAddress{"127.0.0.1", port}, logging);
}

void expect_sum(bool all) {
  expect(sum == (all ? kRecords * (kRecords + 1) / 2 : 0), "records were lost on the way");
}

// The process that takes what the first source emits.
template <class T>
[[noreturn]] void be_other_process(int ports, bool both) {
  std::uint16_t port = 0;
  expect(read(ports, &port, sizeof port) == sizeof port, "the first process has ended");
  {
    const Logging logging{LogLevel::kError};
    const auto second = host<T>("a", both, port, logging);
    expect(second->wait_for(std::chrono::minutes(5)), "the job takes too long");
  }
  expect_sum(true);
  _exit(0);
}

double seconds_of(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Taken {
  double seconds;
  double cpu_seconds;  // of both processes
};

template <class T>
Taken run_apart(bool both) {
  int ports[2];
  expect(pipe(ports) == 0, "no pipe");
  sum = 0;
  const pid_t child = fork();
  if (child == 0) be_other_process<T>(ports[0], both);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  double seconds = 0;
  {
    const Logging logging{LogLevel::kError};
    detail::ExecutionPlan plan = planned<T>(both).plan;
    auto cluster = *detail::HostedCluster::make(
        process("coordinator"),
        {.hosts = 2,
         .place = [plan](auto subtasks, auto hosts) { return crosswise(plan, subtasks, hosts); }},
        logging);
    auto job = *cluster->start(plan, {}, {});
    const std::uint16_t port = cluster->address().port;
    const auto first = host<T>("b", both, port, logging);
    expect(write(ports[1], &port, sizeof port) == sizeof port, "the other process has ended");
    seconds = bench::seconds_of([&] { expect(job->result().has_value(), "the job failed"); });
  }
  expect_sum(both);
  rusage of_child{};
  int status = 0;
  wait4(child, &status, 0, &of_child);
  expect(status == 0, "the other process has failed");
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  close(ports[0]);
  close(ports[1]);
  return {seconds, seconds_of(after) - seconds_of(before) + seconds_of(of_child)};
}

template <class T>
void measure(const char* name, bool both) {
  const double megabytes = static_cast<double>(kRecords * kRecordBytes) / 1e6;
  std::vector<double> rates;
  std::vector<double> cpu;
  for (int i = 0; i < kRepeats; ++i) {
    const Taken taken = run_apart<T>(both);
    rates.push_back(megabytes / taken.seconds);
    cpu.push_back(taken.cpu_seconds / (megabytes / 1'000 * (both ? 2 : 1)));
  }
  const auto [least, most] = std::ranges::minmax(rates);
  std::printf("%-36s %6.0f MB/s each way (%.0f to %.0f)   CPU %.2f s/GB\n", name, median(rates),
              least, most, median(cpu));
  std::fflush(stdout);
}

}  // namespace
}  // namespace millrace::bench

int main() {
  using namespace millrace::bench;
  measure<Numbers>("100 bytes of numbers, one way", false);
  measure<Numbers>("100 bytes of numbers, both ways", true);
  measure<Text>("100 bytes with a string, one way", false);
  measure<Text>("100 bytes with a string, both ways", true);
  return 0;
}
