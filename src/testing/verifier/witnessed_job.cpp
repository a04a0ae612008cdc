#include "millrace/testing/verifier/witnessed_job.h"

#include "millrace/connectors/files/files.h"
#include "millrace/core/text.h"
#include "millrace/testing/verifier/checker.h"
#include "millrace/testing/verifier/witness.h"

namespace millrace::test {
namespace {

std::uint64_t number(Job& job, std::string_view name, std::uint64_t normal, std::string_view help) {
  return static_cast<std::uint64_t>(job.param(name, normal, help));
}

}  // namespace

void witness(const Stream<Event>& events, const EventPattern& pattern,
             const std::string& directory) {
  const auto seen =
      events.key_by(&Event::partition, &Event::key).process<Witness>(pattern).named("witness");
  seen.to(files(concat(directory, "/", kSightingsFolder), json_lines())).named("sightings");
  seen.side_output(kAccounts)
      .to(files(concat(directory, "/", kAccountsFolder), json_lines()))
      .named("accounts");
}

void witnessed_job(Job& job) {
  const EventPattern normal;
  const EventPattern pattern{
      .seed = number(job, "seed", normal.seed, "what the events are"),
      .partitions = static_cast<std::uint32_t>(
          number(job, "partitions", normal.partitions, "read in parallel")),
      .rounds = number(job, "rounds", normal.rounds, "events of each key in each partition"),
      .keys = number(job, "keys", normal.keys, "a power of two")};
  const EventPace pace{
      .burst = number(job, "burst", EventPace().burst, "events between two pauses"),
      .pause = std::chrono::microseconds(
          number(job, "pause", 0, "microseconds between two bursts of a partition"))};
  const std::string output = job.param("output", kRequired, "a directory");
  witness(job.from(events(pattern, pace)).named("events").event_time(&Event::at, monotonic()),
          pattern, output);
}

}  // namespace millrace::test
