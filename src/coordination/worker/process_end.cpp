#include "millrace/coordination/worker/process_end.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr int kFinished = 0;  // as run() has them
constexpr int kUsage = 2;
constexpr std::size_t kMostNamed = 3;

std::string signal_name(int signal) {
  const char* const name = sigabbrev_np(signal);
  const char* const meaning = sigdescr_np(signal);
  if (name == nullptr) return concat("signal ", signal);
  return concat("SIG", name, meaning == nullptr ? "" : concat(" (", meaning, ")"));
}

std::string at_work(const CrashReport& report) {
  if (report.marked) return concat(" in task ", to_string(*report.marked));
  if (report.at_work.empty()) return "";
  std::vector<std::string> named;
  for (const SubtaskAtWork& subtask : report.at_work) {
    if (named.size() < kMostNamed) named.push_back(to_string(subtask));
  }
  if (report.at_work.size() > kMostNamed) {
    named.push_back(concat(report.at_work.size() - kMostNamed, " more"));
  }
  return concat(" while at work on ", join(named));
}

std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\t') || byte == 127) c = '?';
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string how(const ProcessEnd& end) {
  if (end.signal == SIGKILL && !end.asked) {
    return "was killed by SIGKILL, by somebody or by the kernel because memory ran out,";
  }
  if (end.signal) return concat("was ended by ", signal_name(*end.signal));
  return concat("ended with status ", end.status);
}

ErrorCode code(const ProcessEnd& end, const CrashReport& report) {
  if (end.asked || (!end.signal && end.status == kFinished && !report.marked)) {
    return ErrorCode::kCancelled;
  }
  const bool killed = end.signal == SIGKILL || end.signal == SIGTERM;
  if (report.marked || (end.signal && !killed)) return ErrorCode::kUserCode;
  return !end.signal && end.status == kUsage ? ErrorCode::kInvalidArgument
                                             : ErrorCode::kUnavailable;
}

}  // namespace

Error describe(const ProcessEnd& end, const CrashReport& report, const std::string& said_last) {
  const ErrorCode kind = code(end, report);
  if (kind == ErrorCode::kCancelled) {
    return {kind, end.asked ? concat("its process ", *end.asked)
                            : std::string("its process ended as its job did")};
  }
  std::string message = concat("its process ", how(end), at_work(report));
  const std::string said = printable(said_last);
  if (!said.empty()) message += concat("; it said last:\n", said);
  return {kind, message};
}

}  // namespace millrace::detail
