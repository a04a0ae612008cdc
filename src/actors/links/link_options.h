// What the configuration says about links.
#pragma once

#include <initializer_list>
#include <memory>

#include "millrace/actors/links/link_table.h"
#include "millrace/actors/links/tls_session.h"
#include "millrace/core/config/config.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct LinkOptions {
  LinkLimits limits;
  std::shared_ptr<const TlsContext> tls;  // none: what crosses is plain
  bool allow_plaintext = false;           // beyond loopback too
};

// Reads the files of TLS too. What cannot be is refused, naming the option: so is a certificate
// that does not say each of these roles, since nobody would let the process in.
Result<LinkOptions> link_options(const Config& config, std::initializer_list<Role> roles);

}  // namespace millrace::detail
