#include "millrace/actors/links/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kRolePrefix = "urn:millrace:role:";
constexpr std::size_t kRecordBytes = 16 * 1'024;  // of TLS: the most that one read gives

// What OpenSSL has to say about the last call, and forgets.
std::string reasons() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? reason : concat("error ", error);
  }
  return text.empty() ? "no reason was given" : text;
}

Error refused(const std::filesystem::path& file, std::string_view what) {
  return invalid_argument(concat("TLS: ", file.native(), ": ", what, ": ", reasons()));
}

Status load_own(SSL_CTX* context, const TlsFiles& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    return refused(files.certificate, "this is no certificate in PEM that can be read");
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return refused(files.key, "this is no key in PEM of the certificate");
  }
  const X509* own = SSL_CTX_get0_certificate(context);
  if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0) {
    return invalid_argument(concat("TLS: ", files.certificate.native(),
                                   ": the certificate has "
                                   "expired; have the authority issue another one"));
  }
  return {};
}

std::set<Role> roles_in(const X509* certificate) {
  std::set<Role> roles;
  if (certificate == nullptr) return roles;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = name->d.uniformResourceIdentifier;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<std::size_t>(ASN1_STRING_length(uri)));
    if (!text.starts_with(kRolePrefix)) continue;
    if (const auto role = role_named(text.substr(kRolePrefix.size()))) roles.insert(*role);
  }
  GENERAL_NAMES_free(names);
  return roles;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsSession::Free::operator()(ssl_st* session) const { SSL_free(session); }

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  ERR_clear_error();
  auto made = std::make_shared<TlsContext>();
  made->context_.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* context = made->context_.get();
  if (context == nullptr) return internal(concat("TLS: no context: ", reasons()));
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  if (SSL_CTX_load_verify_file(context, files.authority.c_str()) != 1) {
    return refused(files.authority, "this is no certificate of an authority that can be read");
  }
  if (Status own = load_own(context, files); !own) return own.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

std::set<Role> TlsContext::roles() const {
  return roles_in(SSL_CTX_get0_certificate(context_.get()));
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, Handshake::Side side)
    : context_(std::move(context)), session_(SSL_new(context_->context_.get())) {
  check(session_ != nullptr, "OpenSSL has no memory for a session");
  SSL_set_bio(session_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (side == Handshake::Side::kConnected) {
    SSL_set_connect_state(session_.get());
    (void)advance();  // writes the first message, and wants the answer
  } else {
    SSL_set_accept_state(session_.get());
  }
}

Status TlsSession::receive(std::string_view bytes, std::string& plain) {
  ERR_clear_error();
  BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
  if (Status advanced = advance(); !advanced || !established()) return advanced;
  for (;;) {
    const std::size_t before = plain.size();
    plain.resize(before + kRecordBytes);
    std::size_t read = 0;
    const int result = SSL_read_ex(session_.get(), plain.data() + before, kRecordBytes, &read);
    plain.resize(before + read);
    if (result == 1) continue;
    const int why = SSL_get_error(session_.get(), result);
    if (why == SSL_ERROR_WANT_READ) return {};
    if (why == SSL_ERROR_ZERO_RETURN) return unavailable("TLS: the other end has closed");
    return failure();
  }
}

// The handshake, as far as it goes.
Status TlsSession::advance() {
  if (established()) return {};
  const int result = SSL_do_handshake(session_.get());
  if (result != 1) {
    const int why = SSL_get_error(session_.get(), result);
    return why == SSL_ERROR_WANT_READ ? Status() : Status(failure());
  }
  const std::string waited = std::exchange(waiting_, {});
  return write(waited);
}

Status TlsSession::send(std::string_view plain) {
  if (established()) return write(plain);
  waiting_ += plain;
  return {};
}

Status TlsSession::write(std::string_view plain) {
  if (plain.empty()) return {};
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(session_.get(), plain.data(), plain.size(), &written);
  return result == 1 ? Status() : Status(failure());
}

void TlsSession::take_output(std::string& bytes) {
  BIO* const out = SSL_get_wbio(session_.get());
  const std::size_t size = BIO_ctrl_pending(out);
  const std::size_t before = bytes.size();
  bytes.resize(before + size);
  if (size > 0) BIO_read(out, bytes.data() + before, static_cast<int>(size));
}

bool TlsSession::established() const { return SSL_is_init_finished(session_.get()) == 1; }

Error TlsSession::failure() const {
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_WRONG_VERSION_NUMBER) {
    ERR_clear_error();
    return invalid_argument(
        "TLS: the other end speaks no TLS; security.ssl.internal.enabled must be the same on both");
  }
  const long verified = SSL_get_verify_result(session_.get());
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return invalid_argument(concat("TLS: the other end's certificate is refused: ",
                                   X509_verify_cert_error_string(verified)));
  }
  return unavailable(concat("TLS: ", reasons()));
}

std::set<Role> TlsSession::peer_roles() const {
  return roles_in(SSL_get0_peer_certificate(session_.get()));
}

}  // namespace millrace::detail
