// Two sources, an exchange by key, two keyed sums; beside two threads that each sum into a table of
// their own keys, without any exchange.
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <unordered_map>

#include "millrace/connect.h"
#include "millrace/millrace.h"
#include "support.h"

namespace millrace::bench {
namespace {

constexpr std::uint64_t kKeys = 1'000'000;

struct Event {
  std::uint64_t key;
  std::int64_t value;
  std::int64_t first;
  std::int64_t second;
};

struct Named {
  std::string key;  // 36 characters
  std::int64_t value;
};

// xorshift: the same cheap stream of keys for the job and the loop.
std::uint64_t next_random(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}
std::uint64_t next_key(std::uint64_t& state, std::uint64_t keys) {
  return ((next_random(state) >> 32) * keys) >> 32;
}

void write_name(std::uint64_t key, std::string& name) {
  name.assign("customer-00000000-0000-0000-00000000", 36);
  for (std::size_t i = 36; key != 0; key /= 10) name[--i] = static_cast<char>('0' + key % 10);
}

void fill(std::uint64_t& seed, Event& event) { event = {next_key(seed, kKeys), 1, 2, 3}; }
void fill(std::uint64_t& seed, Named& event) {
  write_name(next_key(seed, kKeys), event.key);
  event.value = 1;
}

struct Stretch {
  std::uint64_t seed;
  std::int64_t left;
};

template <class T>
class Generator : public SplitSource<T, Stretch> {
 public:
  static constexpr bool kBounded = true;

  explicit Generator(std::int64_t records) : records_(records) {}

  Result<std::vector<Stretch>> discover(std::uint32_t parallelism) override {
    std::vector<Stretch> stretches;
    for (std::uint32_t i = 1; i <= parallelism; ++i) {
      stretches.push_back({0x9e3779b97f4a7c15 * i, records_ / parallelism});
    }
    return stretches;
  }
  Status open_split(const Stretch&) override { return {}; }
  Result<Poll> poll(Stretch& stretch, Collector<T>& out) override {
    for (; stretch.left > 0 && !out.full(); --stretch.left) {
      out.emit_with([&](T& event) { fill(stretch.seed, event); });
    }
    return stretch.left > 0 ? Poll::more() : Poll::end();
  }

 private:
  std::int64_t records_;
};

std::atomic<std::int64_t> updates;

template <class T>
class CountUpdates : public Sink<T> {
 public:
  Status write(std::span<const T> values) override {
    count_ += static_cast<std::int64_t>(values.size());
    return {};
  }
  Status close() override {
    updates += count_;
    return {};
  }

 private:
  std::int64_t count_ = 0;
};

template <class T>
void run_exchange(std::int64_t records) {
  updates = 0;
  run_job(
      [=](Job& job) {
        job.from(source<Generator<T>>(records))
            .key_by(&T::key)
            .sum(&T::value)
            .to(sink<CountUpdates<T>>());
      },
      2, "streaming");
  expect(updates == records, "some records had no update");
}

// Runs `work(seed)` on two threads; each has half of the keys.
template <class Work>
void on_two_threads(Work work) {
  std::thread first([&] { work(1); });
  std::thread second([&] { work(2); });
  first.join();
  second.join();
}

std::uint64_t mix(std::uint64_t key) {
  key = (key ^ (key >> 33)) * 0xff51afd7ed558ccd;
  key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53;
  return key ^ (key >> 33);
}

// A table of 16 bytes a slot in huge pages, prefetched 16 records ahead.
void sum_by_hand(std::int64_t records, std::uint64_t seed) {
  struct Slot {
    std::uint64_t key_plus_one;
    std::int64_t sum;
  };
  constexpr std::size_t kSlots = 1 << 20;
  constexpr std::size_t kBatch = 1'024;
  auto* table = static_cast<Slot*>(mmap(nullptr, kSlots * sizeof(Slot), PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(table, kSlots * sizeof(Slot), MADV_HUGEPAGE);
  std::vector<Event> batch(kBatch);
  std::vector<std::size_t> slot(kBatch);
  for (; records > 0; records -= kBatch) {
    for (Event& event : batch) event = {next_key(seed, kKeys / 2), 1, 2, 3};
    for (std::size_t i = 0; i < kBatch; ++i) slot[i] = mix(batch[i].key) % kSlots;
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (i + 16 < kBatch) __builtin_prefetch(&table[slot[i + 16]], 1);
      std::size_t at = slot[i];
      while (table[at].key_plus_one != 0 && table[at].key_plus_one != batch[i].key + 1) {
        at = (at + 1) % kSlots;
      }
      table[at].key_plus_one = batch[i].key + 1;
      table[at].sum += batch[i].value;
    }
  }
  munmap(table, kSlots * sizeof(Slot));
}

void sum_names_by_hand(std::int64_t records, std::uint64_t seed) {
  std::unordered_map<std::string, std::int64_t> table;
  table.reserve(kKeys);
  Named event;
  for (; records > 0; --records) {
    write_name(next_key(seed, kKeys / 2), event.key);
    table[event.key] += 1;
  }
}

}  // namespace
}  // namespace millrace::bench

int main() {
  using namespace millrace::bench;
  constexpr std::int64_t kEvents = 102'400'000;
  compare(
      "exchange 2 to 2, 32-byte struct, 1 M keys", kEvents, [] { run_exchange<Event>(kEvents); },
      [] { on_two_threads([](std::uint64_t seed) { sum_by_hand(kEvents / 2, seed); }); });
  constexpr std::int64_t kNames = 20'480'000;
  compare(
      "exchange 2 to 2, 36-byte string, 1 M keys", kNames, [] { run_exchange<Named>(kNames); },
      [] { on_two_threads([](std::uint64_t seed) { sum_names_by_hand(kNames / 2, seed); }); });
}
