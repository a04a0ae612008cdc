// Certificates for tests, made by the OpenSSL library in a folder that goes with the test.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

#include "millrace/actors/links/tls_session.h"
#include "support/temporary_directory.h"

namespace millrace::detail {

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name) : name_(name), key_(EVP_EC_gen("P-256")) {
    certificate_ = make(name, key_, {}, -60, 3'600);
    write_certificate(certificate_, file());
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string file() const { return path(name_ + ".pem"); }
  std::string path(const std::string& name) const { return folder_.path(name); }

  // A certificate in force from now + `from` to now + `to` seconds, for these roles.
  TlsFiles issue(const std::string& name, const std::string& alternative_names, long from = -60,
                 long to = 3'600) const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = make(name, key, alternative_names, from, to);
    write_certificate(certificate, path(name + ".crt"));
    FILE* out = std::fopen(path(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return {path(name + ".crt"), path(name + ".key"), file()};
  }

 private:
  static void write_certificate(X509* certificate, const std::string& path) {
    FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }

  static void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  // Without alternative names: the authority's own.
  X509* make(const std::string& name, EVP_PKEY* key, const std::string& alternative_names,
             long from, long to) const {
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made), from);
    X509_gmtime_adj(X509_getm_notAfter(made), to);
    X509_set_pubkey(made, key);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509* const issuer = certificate_ != nullptr ? certificate_ : made;
    X509_set_issuer_name(made, X509_get_subject_name(issuer));
    if (certificate_ == nullptr) extend(made, issuer, NID_basic_constraints, "critical,CA:TRUE");
    if (!alternative_names.empty()) {
      extend(made, issuer, NID_subject_alt_name, alternative_names);
    }
    X509_sign(made, key_, EVP_sha256());
    return made;
  }

  test::TemporaryDirectory folder_;
  std::string name_;
  mutable long serial_ = 0;
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
};

}  // namespace millrace::detail
