#include "millrace/tools/local_cluster_command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <ostream>
#include <thread>
#include <vector>

#include "millrace/coordination/worker/worker_directory.h"
#include "millrace/core/config/arguments.h"
#include "millrace/core/config/help_text.h"
#include "millrace/core/result.h"
#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kWell = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::chrono::seconds kStartTime{60};
constexpr std::chrono::seconds kStopTime{60};
constexpr std::chrono::milliseconds kLook{20};
constexpr mode_t kReadableByAll = 0644;

constexpr EngineFlag kStartFlags[] = {
    {"dir", EngineFlag::Value::kRequired, "DIR", "Where the cluster keeps all it has."},
    {"workers", EngineFlag::Value::kRequired, "N", "How many workers; default: 2."},
    {"coordinators", EngineFlag::Value::kRequired, "N",
     "How many coordinators, one of which leads; default: 1."},
    {"zookeeper", EngineFlag::Value::kRequired, "HOST:PORT,...",
     "The servers of ZooKeeper by which coordinators agree; default: files in DIR."},
    {"rest-port", EngineFlag::Value::kRequired, "PORT",
     "Where the first coordinator is asked by HTTP; default: 0, any free one."},
};
constexpr EngineFlag kDirFlags[] = {
    {"dir", EngineFlag::Value::kRequired, "DIR", "Of the cluster, as it was started."},
};

// A process of the cluster, by its files in DIR: NAME.pid, NAME.command and logs/NAME.log.
class Member {
 public:
  Member(fs::path directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  fs::path log() const { return directory_ / "logs" / concat(name_, ".log"); }

  // Its process, while it lives: another one that has got its number since is told by its words.
  std::optional<pid_t> process() const {
    std::ifstream file(pid_path());
    pid_t pid = 0;
    if (!(file >> pid) || pid <= 0 || kill(pid, 0) != 0) return std::nullopt;
    std::ifstream words(concat("/proc/", pid, "/cmdline"));
    const std::string line{std::istreambuf_iterator<char>(words), {}};
    if (line.find(directory_.native()) == std::string::npos) return std::nullopt;
    return pid;
  }

  bool runs() const { return process().has_value(); }

  // Starts it in a session of its own, with its output in its log.
  Status start(std::vector<std::string> words) {
    words.insert(words.begin(), "millrace");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log().c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, kReadableByAll);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    std::error_code none;
    said_ = fs::exists(log(), none) ? fs::file_size(log(), none) : 0;
    const int error =
        posix_spawn(&child_, "/proc/self/exe", &files, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) {
      return unavailable(concat("cannot start ", name_, " with its output in ",
                                in_quotes(log().native()), ": ", std::strerror(error)));
    }
    std::ofstream(pid_path()) << child_ << '\n';
    return {};
  }

  // What it has said since it was started.
  std::string said() const {
    std::ifstream file(log());
    file.seekg(static_cast<std::streamoff>(said_));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string last_line() const {
    std::string text = said();
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const std::size_t end = text.rfind('\n');
    return end == std::string::npos ? text : text.substr(end + 1);
  }

  bool was_started() const { return child_ != 0; }
  // Asked once of what start() has started: whether that has ended already.
  bool has_ended() const { return waitpid(child_, nullptr, WNOHANG) == child_; }

  void tell(int signal) const {
    if (const auto pid = process()) kill(*pid, signal);
  }

 private:
  fs::path pid_path() const { return directory_ / concat(name_, ".pid"); }

  fs::path directory_;
  std::string name_;
  pid_t child_ = 0;
  std::uintmax_t said_ = 0;  // before
};

bool waits_until(Clock::duration time, const auto& holds) {
  for (const auto end = Clock::now() + time; !holds();) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

std::optional<std::string> first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty()) return std::nullopt;
  return line;
}

class LocalCluster {
 public:
  explicit LocalCluster(const std::string& directory)
      : directory_(fs::absolute(directory).lexically_normal()) {}

  struct Wanted {
    std::uint32_t workers = 2;
    std::uint32_t coordinators = 1;
    std::string zookeeper;
    std::string rest_port = "0";
    std::vector<ConfigFlag> settings;
  };

  // Starts what does not run, and waits until all of it answers. `notes` is told what it waits for.
  Status start(const Wanted& wanted, std::ostream& notes) {
    std::error_code error;
    fs::create_directories(directory_ / "logs", error);
    if (error) {
      return unavailable(concat("cannot make ", in_quotes(directory_.native()), ": ",
                                error.message(), "; name a directory that can be written to"));
    }
    std::vector<Part> parts;
    for (std::uint32_t i = 1; i <= wanted.coordinators; ++i) {
      Member member(directory_, concat("coordinator-", i));
      const fs::path answers = address_path(member);
      std::vector<std::string> words{"coordinator", concat("--dir=", directory_.native()),
                                     concat("--name=", member.name()), "-D",
                                     concat("rest.port=", i == 1 ? wanted.rest_port : "0")};
      parts.push_back({std::move(member), std::move(words), answers});
    }
    for (std::uint32_t i = 1; i <= wanted.workers; ++i) {
      Member member(directory_, concat("worker-", i));
      const fs::path directory = directory_ / member.name();
      std::vector<std::string> words{
          "worker", concat("--dir=", directory.native()),
          "-D",     concat("high-availability.storageDir=", (directory_ / "leader").native()),
          "-D",     concat("taskmanager.resource-id=", member.name())};
      parts.push_back({std::move(member), std::move(words),
                       detail::WorkerDirectory::registered_file(directory)});
    }
    for (Part& part : parts) {
      add_settings(wanted, part.words);
      if (Status started = start_if_dead(part); !started) return started;
    }
    return await(wanted, parts, notes);
  }

  std::vector<Member> members() const {
    std::vector<Member> members;
    std::error_code error;
    for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".pid")
        members.emplace_back(directory_, entry->path().stem());
    }
    std::ranges::sort(members, {}, &Member::name);
    return members;
  }

  // The addresses of the coordinators that live, with commas between them.
  std::string addresses() const {
    std::string addresses;
    for (const Member& member : members()) {
      if (!member.name().starts_with("coordinator-") || !member.runs()) continue;
      const auto line = first_line(address_path(member));
      if (line) addresses += concat(addresses.empty() ? "" : ",", *line);
    }
    return addresses;
  }

  Status stop() {
    const std::vector<Member> all = members();
    for (const Member& member : all) member.tell(SIGTERM);
    const auto gone = [&] { return std::ranges::none_of(all, &Member::runs); };
    if (!waits_until(kStopTime, gone)) {
      for (const Member& member : all) member.tell(SIGKILL);
      if (!waits_until(kStopTime, gone)) return unavailable("some processes do not end");
    }
    std::error_code error;
    for (const Member& member : all) {
      fs::remove(directory_ / concat(member.name(), ".pid"), error);
      fs::remove(address_path(member), error);
    }
    return {};
  }

 private:
  fs::path address_path(const Member& member) const {
    return directory_ / concat(member.name(), ".address");
  }

  static void add_settings(const Wanted& wanted, std::vector<std::string>& words) {
    if (!wanted.zookeeper.empty()) {
      words.insert(words.end(), {"-D", "high-availability.type=zookeeper", "-D",
                                 concat("high-availability.zookeeper.quorum=", wanted.zookeeper)});
    }
    for (const ConfigFlag& setting : wanted.settings) {
      words.insert(words.end(), {"-D", concat(setting.key, "=", setting.value)});
    }
  }

  // What it is started with, and the file that it has while it answers.
  struct Part {
    Member member;
    std::vector<std::string> words;
    fs::path answers;
  };

  static Status start_if_dead(Part& part) {
    if (part.member.runs()) return {};
    std::error_code none;
    fs::remove(part.answers, none);
    return part.member.start(part.words);
  }

  // As the election says it in the log of each of them, if that is where its warnings go.
  static bool misses_zookeeper(const Part& part) {
    if (!part.member.was_started()) return false;
    const std::string said = part.member.said();
    return said.find("ZooKeeper does not answer") != std::string::npos &&
           said.find("ZooKeeper was reached") == std::string::npos;
  }

  // What ran before is started too if it has died only now, as one that was just killed.
  Status await(const Wanted& wanted, std::vector<Part>& parts, std::ostream& notes) const {
    std::optional<Member> ended;
    bool told = false;
    const auto ready = [&] {
      if (!told && std::ranges::any_of(parts, misses_zookeeper)) {
        told = true;
        notes << "millrace cluster: ZooKeeper (" << wanted.zookeeper
              << ") does not answer; trying again for up to " << kStartTime.count() << " s"
              << std::endl;
      }
      for (Part& part : parts) {
        const bool has_ended =
            part.member.was_started() ? part.member.has_ended() : !start_if_dead(part).has_value();
        if (!has_ended) continue;
        ended = part.member;
        return true;
      }
      return std::ranges::all_of(
          parts, [](const Part& part) { return first_line(part.answers).has_value(); });
    };
    const bool came = waits_until(kStartTime, ready);
    if (ended) {
      return unavailable(concat(ended->name(), " has ended: ", ended->last_line(), "; see ",
                                ended->log().native()));
    }
    if (came) return {};
    const std::string missing =
        std::ranges::any_of(parts, misses_zookeeper)
            ? concat(": ZooKeeper (", wanted.zookeeper,
                     ") does not answer. Its processes go on trying; check the addresses and that "
                     "the servers run, then start it again to wait, or stop it.")
            : ".";
    return unavailable(concat("the cluster does not answer after ", kStartTime.count(), " s",
                              missing, " See ", (directory_ / "logs").native()));
  }

  fs::path directory_;
};

class ClusterCommand {
 public:
  ClusterCommand(std::ostream& out, std::ostream& errors) : out_(out), errors_(errors) {}

  int run(std::span<const std::string> words) {
    constexpr std::string_view kHelp =
        "Usage: millrace cluster start|status|stop --dir=DIR\n\n"
        "  start   runs a cluster on this machine in the background; again: starts what has died\n"
        "  status  says which of its processes live\n"
        "  stop    ends them\n";
    const std::string verb = words.empty() ? "" : words.front();
    if (verb == "--help" || verb == "-h") {
      out_ << kHelp;
      return kWell;
    }
    if (verb != "start" && verb != "status" && verb != "stop") {
      errors_ << kHelp;
      return kUsage;
    }
    const auto flags = verb == "start" ? std::span<const EngineFlag>(kStartFlags)
                                       : std::span<const EngineFlag>(kDirFlags);
    const Result<Arguments> arguments = split_arguments(words.subspan(1), flags);
    if (!arguments) return fail(arguments.error(), kUsage);
    if (arguments->help) {
      out_ << help_text(concat("millrace cluster ", verb), flags, {});
      return kWell;
    }
    if (!arguments->parameters.empty() || !arguments->rest.empty()) {
      return fail(
          invalid_argument(concat("unexpected arguments; see millrace cluster ", verb, " --help")),
          kUsage);
    }
    const Argument* const directory = arguments->find_engine_flag("dir");
    if (directory == nullptr) {
      return fail(invalid_argument("--dir=DIR is missing: where the cluster keeps all it has"),
                  kUsage);
    }
    LocalCluster cluster(*directory->text);
    if (verb == "start") return start(cluster, *arguments);
    return verb == "stop" ? stop(cluster) : status(cluster);
  }

 private:
  int fail(const Error& error, int status) {
    errors_ << "millrace cluster: " << error.message() << std::endl;
    return status;
  }

  int start(LocalCluster& cluster, const Arguments& arguments) {
    LocalCluster::Wanted wanted{.settings = arguments.settings};
    if (Status status = read_number(arguments, "workers", wanted.workers); !status) {
      return fail(status.error(), kUsage);
    }
    if (Status status = read_number(arguments, "coordinators", wanted.coordinators); !status) {
      return fail(status.error(), kUsage);
    }
    if (const Argument* flag = arguments.find_engine_flag("zookeeper"))
      wanted.zookeeper = *flag->text;
    if (const Argument* flag = arguments.find_engine_flag("rest-port"))
      wanted.rest_port = *flag->text;
    const Status started = cluster.start(wanted, errors_);
    if (!started) return fail(started.error(), kFailed);
    out_ << cluster.addresses() << std::endl;
    return kWell;
  }

  static Status read_number(const Arguments& arguments, std::string_view name,
                            std::uint32_t& number) {
    const Argument* const flag = arguments.find_engine_flag(name);
    if (flag == nullptr) return {};
    constexpr std::uint32_t kMost = 100;
    const std::string& text = *flag->text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 1 &&
        number <= kMost) {
      return {};
    }
    return invalid_argument(concat("--", name, "=", text, ": expected a number from 1 to ", kMost));
  }

  int status(const LocalCluster& cluster) {
    const std::vector<Member> members = cluster.members();
    bool all = !members.empty();
    for (const Member& member : members) {
      const auto pid = member.process();
      out_ << member.name() << ' ' << (pid ? concat("runs, process ", *pid) : "has died") << '\n';
      all = all && pid;
    }
    if (members.empty()) out_ << "no cluster was started there\n";
    if (!members.empty()) out_ << cluster.addresses() << '\n';
    out_.flush();
    return all ? kWell : kFailed;
  }

  int stop(LocalCluster& cluster) {
    const Status stopped = cluster.stop();
    return stopped ? kWell : fail(stopped.error(), kFailed);
  }

  std::ostream& out_;
  std::ostream& errors_;
};

}  // namespace

int run_local_cluster_command(std::span<const std::string> words, std::ostream& out,
                              std::ostream& errors) {
  return ClusterCommand(out, errors).run(words);
}

}  // namespace millrace
