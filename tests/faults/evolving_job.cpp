#include "faults/evolving_job.h"

#include <array>
#include <tuple>

#include "millrace/millrace.h"
#include "millrace/verifier.h"

namespace millrace::faults {
namespace {

struct First {
  struct Account {
    std::int32_t count = 0;
    std::int32_t sum = 0;
    std::string note = "first";
  };
  struct Visits {
    std::int32_t count = 0;
    float weight = 0;
  };
};

struct Added {
  struct Account {
    std::int32_t count = 0;
    std::int32_t sum = 0;
    std::string note;
    std::optional<std::int64_t> limit;
  };
  using Visits = First::Visits;
};

struct Removed {
  struct Account {
    std::int32_t count = 0;
    std::int32_t sum = 0;
    std::optional<std::int64_t> limit;
  };
  using Visits = First::Visits;
};

struct Reordered {
  struct Account {
    std::optional<std::int64_t> limit;
    std::int32_t sum = 0;
    std::int32_t count = 0;
  };
  struct Visits {
    float weight = 0;
    std::int32_t count = 0;
  };
};

struct Widened {
  struct Account {
    std::optional<std::int64_t> limit;
    std::int64_t sum = 0;
    std::int64_t count = 0;
  };
  struct Visits {
    double weight = 0;
    std::int64_t count = 0;
  };
};

struct All {
  struct Account {
    std::int64_t count = 0;
    bool checked = true;
    std::int64_t sum = 0;
  };
  struct Visits {
    std::string where = "here";
    std::int64_t count = 0;
    double weight = 0;
  };
};

// What state says after an event.
struct Entry {
  std::uint32_t partition = 0;
  std::uint64_t sequence = 0;
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t visits = 0;
  double weight = 0;
};

// A visit is counted under every eighth number of its key, so that what one version has written may
// be left alone until another has come and gone.
template <class Version>
class Accounts : public KeyedProcess<std::tuple<std::uint32_t, std::uint64_t>, test::Event, Entry> {
 public:
  void process(const test::Event& event, Context&, Collector<Entry>& out) override {
    auto& account = account_.edit();
    ++account.count;
    account.sum += static_cast<decltype(account.sum)>(event.sequence);
    auto& visits = visits_.edit(static_cast<std::int32_t>(account.count % 8));
    ++visits.count;
    visits.weight += 0.5F;
    out.emit(
        {event.partition, event.sequence, account.count, account.sum, visits.count, visits.weight});
  }

 private:
  ValueState<typename Version::Account> account_{*this, "account"};
  MapState<std::int32_t, typename Version::Visits> visits_{*this, "visits"};
};

template <class Version>
Stream<Entry> entries(const Stream<test::Event>& events) {
  return events.key_by(&test::Event::partition, &test::Event::key)
      .process<Accounts<Version>>()
      .named("accounts");
}

constexpr std::array<Stream<Entry> (*)(const Stream<test::Event>&), kVersions> kOfVersion{
    entries<First>,     entries<Added>,   entries<Removed>,
    entries<Reordered>, entries<Widened>, entries<All>};

}  // namespace

void evolving_job(Job& job) {
  const auto number = [&](std::string_view name, std::uint64_t normal) {
    return static_cast<std::uint64_t>(job.param(name, static_cast<std::int64_t>(normal)));
  };
  const test::EventPattern pattern{
      .seed = number("seed", 1),
      .partitions = static_cast<std::uint32_t>(number("partitions", 4)),
      .rounds = number("rounds", 64),
      .keys = number("keys", 256)};
  const test::EventPace pace{.burst = number("burst", 256),
                             .pause = std::chrono::microseconds(number("pause", 0))};
  const std::uint64_t version = number("version", 0);
  const std::string output = job.param("output", kRequired, "a directory");
  const auto events = job.from(test::events(pattern, pace))
                          .named("events")
                          .event_time(&test::Event::at, monotonic());
  kOfVersion.at(version)(events).to(files(output, json_lines())).named("entries");
}

}  // namespace millrace::faults
