// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>
#include <openssl/ssl.h>

namespace curlicue::bench {

/// The server's authority, which a client adds to those that its libcurl has loaded by default:
/// the server is verified, and what loading them costs is measured.
class authority {
public:
    /// @param file one certificate, PEM
    /// @throws std::runtime_error if there is none
    explicit authority(const std::string& file);

    /// For CURLOPT_SSL_CTX_FUNCTION.
    CURLcode trust_in(void* ssl_ctx) const noexcept;

private:
    struct freed {
        void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    };
    std::unique_ptr<X509, freed> certificate_;
};

} // namespace curlicue::bench
