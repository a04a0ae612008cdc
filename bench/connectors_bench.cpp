// How fast the connectors read and write on one core, without a cluster: what a task's poll and
// write cost. Files lie in the page cache.
//   connectors_bench [FOLDER]
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "millrace/connectors/console/print.h"
#include "millrace/connectors/files/files.h"
#include "millrace/connectors/files/text_files.h"
#include "millrace/connectors/values/generate.h"
#include "millrace/connectors/values/sequence.h"

using namespace millrace;

namespace {

struct Payment {
  std::string account;
  std::int64_t cents = 0;
  Timestamp at;
};

struct Small {
  std::int64_t key = 0;
  std::int64_t value = 0;
};

constexpr int kTries = 3;

template <class T>
std::uint64_t read_all(const SourceSpec<T>& spec) {
  static SystemClock clock;
  auto made = spec.make();
  auto& source = dynamic_cast<detail::AnySource&>(*made);
  Status status = source.open({.name = "bench", .key_groups = {}, .clock = &clock});
  auto enumerator = spec.enumerator();
  if (status) status = enumerator->discover(1);
  if (!status) return std::puts(status.error().message().c_str()), 0;
  detail::Outputs outputs({detail::make_batch<T>()}, {});
  std::uint64_t records = 0;
  while (true) {
    if (source.wants_split()) {
      const auto split = enumerator->next();
      split ? void(source.assign(*split)) : source.no_more_splits();
    }
    Result<Poll> poll = source.poll(outputs);
    if (!poll) return std::puts(poll.error().message().c_str()), 0;
    records += outputs.records();
    outputs.clear();
    if (poll->kind() == Poll::Kind::kEnd) return records;
  }
}

// Prints the best of several tries, so that a neighbour on the machine counts for nothing.
template <class Run>
void measure(const char* name, double bytes, Run run) {
  double best = 1e9;
  std::uint64_t records = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    records = run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  std::printf("%-34s %8.2f M records/s", name, static_cast<double>(records) / best / 1e6);
  if (bytes > 0) std::printf(" %9.0f MB/s", bytes / best / 1e6);
  std::printf("\n");
}

double size_of(const std::string& path) {
  return static_cast<double>(std::filesystem::file_size(path));
}

std::string text_file(const std::string& folder, std::size_t width) {
  const std::string path = folder + "/text-" + std::to_string(width);
  const std::string line = std::string(width, 'x') + '\n';
  std::ofstream file(path, std::ios::binary);
  for (std::size_t size = 0; size < 400'000'000; size += line.size()) file << line;
  return path;
}

std::vector<Payment> payments() {
  std::vector<Payment> payments(1'000);
  Random random(1);
  for (Payment& payment : payments) {
    payment = {"account-" + std::to_string(random.below(1'000'000)),
               static_cast<std::int64_t>(random.below(100'000)),
               Timestamp(Duration(1'700'000'000'000 +
                                  static_cast<std::int64_t>(random.below(1'000'000'000))))};
  }
  return payments;
}

// Lets the writer of a format fill a file with 3 M payments.
std::string record_file(const std::string& path, detail::RowWriter& writer) {
  std::string text;
  writer.begin_file(text);
  std::ofstream file(path, std::ios::binary);
  const std::vector<Payment> records = payments();
  for (int i = 0; i < 3'000; ++i) {
    Status status = writer.append(records.data(), sizeof(Payment), records.size(), text);
    if (!status) std::puts(status.error().message().c_str());
    file << text;
    text.clear();
  }
  return path;
}

template <class T>
void write_all(const SinkSpec& spec, std::vector<T> records, int times) {
  static SystemClock clock;
  auto made = spec.make();
  auto& sink = dynamic_cast<detail::AnySink&>(*made);
  Status status = sink.open({.name = "bench", .key_groups = {}, .clock = &clock});
  detail::BatchPtr batch = detail::make_batch<T>();
  for (T& record : records) static_cast<detail::Batch<T>&>(*batch).push(std::move(record));
  detail::Outputs none({}, {});
  for (int i = 0; status && i < times; ++i) {
    detail::Cursor cursor{.batch = &*batch, .next = 0, .shared = false};
    Result<detail::Progress> progress = sink.process(0, cursor, none);
    if (!progress) status = progress.error();
  }
  if (status) status = sink.prepare(CheckpointId(1));
  if (status) status = sink.close();
  if (!status) std::puts(status.error().message().c_str());
}

void measure_values() {
  measure("sequence", 0, [] { return read_all(sequence(1, 1'000'000'000)); });
  const auto generated =
      generate<Small>({.count = 20'000'000}, [](std::uint64_t i, Random& random) {
        return Small{static_cast<std::int64_t>(random.below(1'000)), static_cast<std::int64_t>(i)};
      });
  measure("generate, 16 bytes, with Random", 0, [&] { return read_all(generated); });
}

void measure_reading(const std::string& folder) {
  for (const std::size_t width : {30, 100, 1'000}) {
    const std::string path = text_file(folder, width);
    const std::string name = "text_files, " + std::to_string(width) + " bytes a line";
    measure(name.c_str(), size_of(path), [&] { return read_all(text_files(path).spec()); });
    std::filesystem::remove(path);
  }
  const auto& type = type_of<Payment>();
  const std::string csv_path =
      record_file(folder + "/payments.csv", *detail::make_csv_writer(type, {}));
  measure("files in, csv, 3 fields", size_of(csv_path),
          [&] { return read_all(files<Payment>(csv_path, csv()).spec()); });
  const std::string json_path =
      record_file(folder + "/payments.jsonl", *detail::make_json_lines_writer(type, {}));
  measure("files in, json_lines, 3 fields", size_of(json_path),
          [&] { return read_all(files<Payment>(json_path, json_lines()).spec()); });
}

template <class Format>
void measure_file_sink(const char* name, const std::string& folder, Format format) {
  const std::string out = folder + "/out";
  double bytes = 0;
  constexpr int kTimes = 2'000;
  const auto run = [&] {
    std::filesystem::remove_all(out);
    write_all(files(out, format).template bind<Payment>(), payments(), kTimes);
    return std::uint64_t{kTimes} * 1'000;
  };
  run();
  for (const auto& file : std::filesystem::directory_iterator(out)) {
    bytes += static_cast<double>(file.file_size());
  }
  measure(name, bytes, run);
}

void measure_writing(const std::string& folder) {
  measure_file_sink("files out, csv, with fsync", folder, csv());
  measure_file_sink("files out, json_lines, with fsync", folder, json_lines());
  const int file = open("/dev/null", O_WRONLY);
  const SinkSpec spec = detail::Print({}, file).bind<Small>();
  measure("print to /dev/null, 16 bytes", 0, [&] {
    write_all(spec, std::vector<Small>(1'000, Small{12'345, 678}), 10'000);
    return std::uint64_t{10'000'000};
  });
  close(file);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path base = argc > 1 ? argv[1] : std::filesystem::temp_directory_path();
  const std::string folder = (base / "millrace-connectors-bench").native();
  std::filesystem::create_directories(folder);
  measure_values();
  measure_reading(folder);
  measure_writing(folder);
  std::filesystem::remove_all(folder);
}
