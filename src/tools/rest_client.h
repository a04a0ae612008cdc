// Asks a cluster by its REST interface: whichever of its coordinators answers, sent on to the one
// that leads, and again for a while where none does, since the leader may be changing.
//
// One thread. An answer that says an error is one; its message is the cluster's own.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/json/json.h"
#include "millrace/core/result.h"
#include "millrace/core/time.h"

namespace millrace::detail {

struct RestAddress {
  std::string host;
  int port = 0;

  std::string text() const;  // http://HOST:PORT
  bool operator==(const RestAddress&) const = default;
};

// http://HOST:PORT, HOST:PORT or HOST, which has port 8081; [HOST] for IPv6.
Result<RestAddress> parse_rest_address(std::string_view text);
// With commas between them; at least one.
Result<std::vector<RestAddress>> parse_rest_addresses(std::string_view text);

struct RestCall {
  std::string method = "GET";
  std::string path;
  std::string body = {};
  std::string file = {};   // whose bytes are the body instead, unless HEAD finds them there
  bool repeatable = true;  // asked twice it does what it does once
};

struct RestPatience {
  Duration whole = std::chrono::seconds(30);                 // with coordinators that do not answer
  Duration pause = std::chrono::milliseconds(200);           // before they are asked again
  Duration answer = std::chrono::seconds(60);                // for one answer
  std::function<bool()> interrupted = [] { return false; };  // gives up when it says so
};

class RestClient {
 public:
  // `notes` is told, once, that no coordinator answers.
  RestClient(std::vector<RestAddress> addresses, RestPatience patience, std::ostream& notes)
      : addresses_(std::move(addresses)), patience_(std::move(patience)), notes_(notes) {}

  // The body of a good answer.
  Result<std::string> ask(const RestCall& call);

  // The same, read as JSON.
  template <class T>
  Result<T> ask_for(const RestCall& call, std::map<std::string, std::string> renames = {}) {
    const Result<std::string> body = ask(call);
    if (!body) return body.error();
    T value{};
    JsonReader reader({.renames = std::move(renames)});
    if (const Status read = reader.read(*body, value); !read) return strange(call, read.error());
    return value;
  }

  // From now on.
  void be_patient_for(Duration time) { patience_.whole = time; }

  bool has_asked() const { return has_asked_; }

  // Waits before it is worth asking again; an error if it was interrupted.
  Status pause();

 private:
  struct Attempt;
  Attempt attempt(RestAddress address, const RestCall& call);
  Attempt attempt_anywhere(const RestCall& call);
  Error strange(const RestCall& call, const Error& error) const;
  void say_once(std::string_view why);

  std::vector<RestAddress> addresses_;
  RestPatience patience_;
  std::ostream& notes_;
  std::optional<RestAddress> answered_;  // the last that did: asked first
  bool has_asked_ = false;
  bool said_ = false;
};

}  // namespace millrace::detail
