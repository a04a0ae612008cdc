#include "millrace/coordination/document_store.h"

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kPlain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

bool is_name(std::string_view text) {
  if (text.empty() || text.front() == '.') return false;
  return text.find_first_not_of("%" + std::string(kPlain)) == std::string_view::npos;
}

bool is_path(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view folder = path.substr(0, slash);
  // Beside the documents lies what is known of the election.
  if (folder == "election" || folder == "leader") return false;
  return is_name(folder) && is_name(path.substr(slash + 1));
}

}  // namespace

std::string escaped_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (kPlain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += concat('%', kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
    }
  }
  return text;
}

// No name begins with a dot, which would hide a file, and "." is no node of ZooKeeper's; none is
// empty.
std::string document_path(std::string_view folder, std::string_view name) {
  std::string escaped = escaped_name(name);
  if (escaped.empty()) escaped = "%";
  if (escaped.front() == '.') escaped.replace(0, 1, "%2e");
  return concat(folder, '/', escaped);
}

Status check_document(std::string_view path, std::size_t size) {
  if (!is_path(path)) {
    return invalid_argument(concat(in_quotes(path),
                                   " is no path of a document: expected a folder and a name of "
                                   "letters, digits and %._-, such as jobs/7"));
  }
  if (size > kLargestDocument) {
    return invalid_argument(concat("the document ", in_quotes(path), " is to have ", size,
                                   " bytes, but ZooKeeper keeps none of more than ",
                                   kLargestDocument,
                                   ": put what is large into a file, and its path here"));
  }
  return {};
}

Status check_leader(LeaderEpoch asked, LeaderEpoch current) {
  if (asked == current) return {};
  return cancelled(concat("this coordinator led in epoch ", asked.value(),
                          ", and the leader's epoch is ", current.value(),
                          ": it leads no more, and changes nothing"));
}

Status check_version(std::string_view path, DocumentVersion asked, DocumentVersion current) {
  if (asked == current) return {};
  return cancelled(concat("the document ", in_quotes(path), " is of version ", current.value(),
                          ", expected ", asked.value(),
                          ": it was changed meanwhile, read it again"));
}

}  // namespace millrace::detail
