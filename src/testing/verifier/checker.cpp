#include "millrace/testing/verifier/checker.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <tuple>

#include "millrace/core/json/json.h"
#include "millrace/core/text.h"
#include "millrace/testing/comparison.h"
#include "millrace/testing/verifier/account_check.h"
#include "millrace/testing/verifier/sighting_check.h"

namespace millrace::test {
namespace {

namespace fs = std::filesystem;

struct PartFile {
  std::uint64_t checkpoint = 0;
  std::uint64_t subtask = 0;
  fs::path path;

  auto operator<=>(const PartFile&) const = default;
};

// part-<subtask>-<checkpoint>.<extension>
bool parse(const fs::path& path, PartFile& file) {
  const std::string name = path.stem();
  const std::size_t dash = name.rfind('-');
  if (!name.starts_with("part-") || dash < 5) return false;
  const char* const begin = name.data();
  const auto subtask = std::from_chars(begin + 5, begin + dash, file.subtask);
  const auto checkpoint = std::from_chars(begin + dash + 1, begin + name.size(), file.checkpoint);
  file.path = path;
  return subtask.ec == std::errc() && checkpoint.ec == std::errc();
}

Result<std::vector<PartFile>> part_files(const fs::path& folder) {
  std::vector<PartFile> files;
  std::error_code error;
  if (!fs::exists(folder, error)) return files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    PartFile file;
    if (parse(entry->path(), file)) files.push_back(std::move(file));
  }
  if (error) return unavailable(concat("cannot list '", folder.native(), "': ", error.message()));
  std::ranges::sort(files);
  return files;
}

template <class T>
Result<std::vector<T>> shown_records(const fs::path& folder) {
  const Result<std::vector<std::string>> lines = shown_lines(folder);
  if (!lines) return lines.error();
  std::vector<T> records(lines->size());
  detail::JsonReader reader;
  for (std::size_t i = 0; i < records.size(); ++i) {
    Status read = reader.read((*lines)[i], records[i]);
    if (!read) return read.error().with_context(concat("'", folder.native(), "', ", (*lines)[i]));
  }
  return records;
}

void judge_accounts(const EventPattern& pattern, const std::vector<Account>& accounts,
                    Verdict& verdict) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> shown;
  const auto tell = [&](Harm harm, std::uint32_t partition, std::uint64_t key) {
    verdict.add(Level::kOutput, harm,
                concat("the account of partition ", partition, ", key ", key));
  };
  for (const Account& account : accounts) {
    if (account.partition >= pattern.partitions || account.key >= pattern.keys) {
      tell(Harm::kAltered, account.partition, account.key);
    } else if (++shown[{account.partition, account.key}] > 1) {
      tell(Harm::kDuplicated, account.partition, account.key);
    } else {
      check_account(pattern, account, verdict);
    }
  }
  for (std::uint32_t partition = 0; partition < pattern.partitions; ++partition) {
    for (std::uint64_t key = 0; key < pattern.keys; ++key) {
      if (!shown.contains({partition, key})) tell(Harm::kLost, partition, key);
    }
  }
}

}  // namespace

Result<std::vector<std::string>> shown_lines(const fs::path& folder) {
  const Result<std::vector<PartFile>> files = part_files(folder);
  if (!files) return files.error();
  std::vector<std::string> lines;
  for (const PartFile& file : *files) {
    std::ifstream text(file.path);
    for (std::string line; std::getline(text, line);) lines.push_back(std::move(line));
    if (text.bad() || !text.eof()) {
      return unavailable(concat("cannot read '", file.path.native(), "'"));
    }
  }
  return lines;
}

Result<Verdict> judge(const EventPattern& pattern, const fs::path& directory) {
  if (Status checked = pattern.check(); !checked) return checked.error();
  const auto sightings = shown_records<Sighting>(directory / kSightingsFolder);
  if (!sightings) return sightings.error();
  const auto accounts = shown_records<Account>(directory / kAccountsFolder);
  if (!accounts) return accounts.error();
  Verdict verdict;
  SightingCheck check(pattern, verdict);
  for (const Sighting& sighting : *sightings) check.add(sighting);
  check.finish();
  judge_accounts(pattern, *accounts, verdict);
  return verdict;
}

Result<std::string> difference(const fs::path& expected, const fs::path& shown) {
  Result<std::vector<std::string>> right = shown_lines(expected);
  if (!right) return right.error();
  Result<std::vector<std::string>> found = shown_lines(shown);
  if (!found) return found.error();
  return detail::difference(*std::move(right), *std::move(found), false);
}

}  // namespace millrace::test
