// TLS 1.3 with certificates on both ends, between the bytes of a connection and frames. It touches
// no socket: what comes from the connection goes in, what is to go out is taken from it.
//
// The other end must have a certificate of the same authority, in force, whose alternative names
// say which roles it may have, as urn:millrace:role:worker. There are no names of hosts: who a
// process is, and which cluster's, is the matter of its role, its hello and the authority.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "millrace/actors/links/handshake.h"
#include "millrace/core/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace millrace::detail {

// In PEM: this process's certificate, with any between it and the authority's behind it; its key;
// and the certificate of the authority.
struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

// What all connections of a process share. Immutable, any thread.
class TlsContext {
 public:
  // Fails where a file cannot be read, key and certificate do not belong together, or the
  // certificate is not in force.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);

  // What the process's own certificate says that it may be.
  std::set<Role> roles() const;

 private:
  friend class TlsSession;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

// One connection.
class TlsSession {
 public:
  TlsSession(std::shared_ptr<const TlsContext> context, Handshake::Side side);

  // Takes what came from the connection, and appends what it says to `plain`. After an error there
  // may be something left to take, which tells the other end.
  Status receive(std::string_view bytes, std::string& plain);

  // Has the bytes sent. Before the handshake is done they wait for that.
  Status send(std::string_view plain);

  // Appends what is to go to the connection.
  void take_output(std::string& bytes);

  bool established() const;
  // What the other end's certificate says, once established.
  std::set<Role> peer_roles() const;

 private:
  Status advance();
  Status write(std::string_view plain);
  Error failure() const;

  struct Free {
    void operator()(ssl_st* session) const;
  };
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<ssl_st, Free> session_;
  std::string waiting_;  // to be sent after the handshake
};

}  // namespace millrace::detail
