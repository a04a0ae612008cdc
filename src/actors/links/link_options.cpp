#include "millrace/actors/links/link_options.h"

#include "millrace/core/config/options.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

Result<std::filesystem::path> file_of(const Config& config, const Option<std::string>& option) {
  std::string file = config.get(option);
  if (file.empty()) {
    return invalid_argument(concat(option.key, " names no file, and ", kInternalTls.key,
                                   " is true: TLS needs a certificate, its key and the "
                                   "certificate of the authority"));
  }
  return std::filesystem::path(std::move(file));
}

Result<std::shared_ptr<const TlsContext>> load_tls(const Config& config) {
  const Result<std::filesystem::path> certificate = file_of(config, kInternalTlsCertificate);
  if (!certificate) return certificate.error();
  const Result<std::filesystem::path> key = file_of(config, kInternalTlsKey);
  if (!key) return key.error();
  const Result<std::filesystem::path> authority = file_of(config, kInternalTlsAuthority);
  if (!authority) return authority.error();
  return TlsContext::load({*certificate, *key, *authority});
}

Status check_roles(const TlsContext& tls, const Config& config, std::initializer_list<Role> roles) {
  const std::set<Role> own = tls.roles();
  for (const Role role : roles) {
    if (own.contains(role)) continue;
    return invalid_argument(concat(
        "the certificate ", in_quotes(config.get(kInternalTlsCertificate)),
        " does not say that this process may be a ", to_string(role), " (",
        kInternalTlsCertificate.key, "): have the authority issue one with the alternative name ",
        "URI:urn:millrace:role:", to_string(role)));
  }
  return {};
}

}  // namespace

Result<LinkOptions> link_options(const Config& config, std::initializer_list<Role> roles) {
  LinkOptions options{.allow_plaintext = config.get(kAllowPlaintext)};
  options.limits.heartbeat = {.interval = config.get(kHeartbeatInterval),
                              .timeout = config.get(kHeartbeatTimeout)};
  const HeartbeatSettings& heartbeat = options.limits.heartbeat;
  if (heartbeat.interval.count() <= 0 || heartbeat.timeout <= heartbeat.interval) {
    return invalid_argument(concat(kHeartbeatTimeout.key, " is ", config.text(kHeartbeatTimeout),
                                   " and ", kHeartbeatInterval.key, " ",
                                   config.text(kHeartbeatInterval),
                                   ": the interval is more than nothing, and less than the "
                                   "timeout"));
  }
  if (!config.get(kInternalTls)) return options;
  Result<std::shared_ptr<const TlsContext>> tls = load_tls(config);
  if (!tls) return tls.error();
  options.tls = *std::move(tls);
  if (Status may = check_roles(*options.tls, config, roles); !may) return may.error();
  return options;
}

}  // namespace millrace::detail
