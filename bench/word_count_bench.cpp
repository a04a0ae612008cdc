// Word count over a 200 MB text at parallelism 1, beside one loop with one hash table.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "millrace/core/random.h"
#include "millrace/millrace.h"
#include "support.h"

namespace millrace::bench {
namespace {

struct WordCount {
  std::string word;
  std::int64_t count;
};

// 10,000 words of 3 to 10 letters, Zipf with s = 1, ten to a line.
class Text {
 public:
  Text()
      : path_(std::filesystem::temp_directory_path() /
              ("millrace-bench-" + std::to_string(getpid()) + ".txt")) {
    Random random(1);
    std::vector<std::string> vocabulary(10'000);
    std::vector<double> until(vocabulary.size());
    double total = 0;
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
      const std::size_t length = 3 + random.below(8);
      for (std::size_t j = 0; j < length; ++j) {
        vocabulary[i] += static_cast<char>('a' + random.below(26));
      }
      until[i] = total += 1.0 / static_cast<double>(i + 1);
    }
    std::ofstream out(path_, std::ios::binary);
    std::string line;
    for (std::size_t bytes = 0; bytes < 200'000'000; bytes += line.size()) {
      line.clear();
      for (int i = 0; i < 10; ++i, ++words_) {
        const auto word = std::ranges::lower_bound(until, random.uniform() * total);
        line += vocabulary[static_cast<std::size_t>(word - until.begin())];
        line += i == 9 ? '\n' : ' ';
      }
      out << line;
    }
  }
  ~Text() { std::filesystem::remove(path_); }

  std::string path() const { return path_.string(); }
  double words() const { return static_cast<double>(words_); }

 private:
  std::filesystem::path path_;
  std::int64_t words_ = 0;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using Table = std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>>;

Table count_by_hand(const std::string& path) {
  Table table;
  std::vector<char> buffer(256 * 1'024);
  const int file = open(path.c_str(), O_RDONLY);
  std::size_t kept = 0;
  for (;;) {
    const ssize_t got = read(file, buffer.data() + kept, buffer.size() - kept);
    if (got <= 0) break;
    const std::size_t filled = kept + static_cast<std::size_t>(got);
    const auto* last = static_cast<const char*>(memrchr(buffer.data(), '\n', filled));
    const std::size_t whole = static_cast<std::size_t>(last - buffer.data()) + 1;
    for (const std::string_view word : split_words({buffer.data(), whole})) {
      const auto entry = table.find(word);
      if (entry == table.end()) {
        table.emplace(word, 1);
      } else {
        ++entry->second;
      }
    }
    kept = filled - whole;
    std::memmove(buffer.data(), buffer.data() + whole, kept);
  }
  close(file);
  return table;
}

std::vector<WordCount> count_by_job(const std::string& path) {
  std::vector<WordCount> counts;
  run_job(
      [&](Job& job) {
        job.from(text_files(path))
            .flat_map([](const std::string& line, Collector<WordCount>& out) {
              for (std::string_view word : split_words(line)) out.emit({std::string(word), 1});
            })
            .key_by(&WordCount::word)
            .sum(&WordCount::count)
            .named("count")
            .to(collect(counts));
      },
      1, "batch");
  return counts;
}

}  // namespace
}  // namespace millrace::bench

int main() {
  using namespace millrace::bench;
  const Text text;
  Table expected;
  std::vector<WordCount> counts;
  compare(
      "word count, 200 MB, parallelism 1", text.words(),
      [&] { counts = count_by_job(text.path()); }, [&] { expected = count_by_hand(text.path()); });
  expect(counts.size() == expected.size(), "the numbers of different words differ");
  for (const WordCount& count : counts) {
    expect(expected[count.word] == count.count, "the counts of a word differ");
  }
}
