// A coordinator that does nothing but stand for election, so that a test can kill and stop it.
//   zookeeper_candidate QUORUM PATH SESSION_TIMEOUT_MS ADDRESS
// Says what it is told, a line each, and does what it reads, as the leader that it was last:
//   write PATH VERSION TEXT | erase PATH VERSION
#include <atomic>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>

#include "millrace/coordination/zookeeper/zookeeper_document_store.h"

namespace millrace::detail {
namespace {

std::mutex output;
std::atomic<std::uint64_t> epoch = 0;

void say(const std::string& line) {
  const std::lock_guard lock(output);
  std::cout << line << std::endl;
}

void say_event(const LeadershipEvent& event) {
  if (const auto* elected = std::get_if<Elected>(&event)) {
    epoch = elected->epoch.value();
    say("elected " + std::to_string(epoch));
  }
  if (const auto* deposed = std::get_if<Deposed>(&event)) say("deposed " + deposed->why);
}

void obey(DocumentStore& documents, const std::string& line) {
  std::istringstream words(line);
  std::string what;
  std::string path;
  std::string text;
  std::uint64_t version = 0;
  words >> what >> path >> version >> text;
  const LeaderEpoch leader(epoch);
  Status status;
  if (what == "erase") {
    status = documents.erase(path, DocumentVersion(version), leader);
  } else {
    const auto written = documents.write(path, DocumentVersion(version), text, leader);
    if (!written) status = written.error();
  }
  say(what + " " + std::string(status ? "done" : to_string(status.error().code())));
}

int run(char** arguments) {
  ZooKeeperElection election({.quorum = arguments[1],
                              .path = arguments[2],
                              .session_timeout = Duration(std::stoll(arguments[3]))});
  ZooKeeperDocumentStore documents(election);
  election.join(arguments[4], say_event);
  for (std::string line; std::getline(std::cin, line);) obey(documents, line);
  return 0;
}

}  // namespace
}  // namespace millrace::detail

int main(int count, char** arguments) { return count == 5 ? millrace::detail::run(arguments) : 2; }
