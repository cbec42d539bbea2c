// SPDX-License-Identifier: MIT
#include "authority.hpp"

#include <stdexcept>

#include <openssl/pem.h>

namespace curlicue::bench {

authority::authority(const std::string& file) {
    const std::unique_ptr<BIO, int (*)(BIO*)> input(BIO_new_file(file.c_str(), "r"), BIO_free);
    if (input)
        certificate_.reset(PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr));
    if (!certificate_)
        throw std::runtime_error("no certificate in " + file);
}

CURLcode authority::trust_in(void* ssl_ctx) const noexcept {
    X509_STORE* const store = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(ssl_ctx));
    return X509_STORE_add_cert(store, certificate_.get()) == 1 ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

} // namespace curlicue::bench
