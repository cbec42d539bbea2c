// SPDX-License-Identifier: MIT
#pragma once

#include <curl/curl.h>
#include <dlfcn.h>

/// The functions that we take the place of, as libcurl has them. Programs that use another flavour
/// of libcurl ask for another version of these names, and so never come to us.
struct libcurl {
    static const libcurl& next() {
        static const libcurl functions;
        return functions;
    }

    decltype(&curl_easy_setopt) setopt = find("curl_easy_setopt");
    decltype(&curl_easy_perform) perform = find("curl_easy_perform");
    decltype(&curl_easy_reset) reset = find("curl_easy_reset");
    decltype(&curl_easy_duphandle) duphandle = find("curl_easy_duphandle");
    decltype(&curl_easy_cleanup) cleanup = find("curl_easy_cleanup");

private:
    struct found {
        void* symbol;
        template <class Function> operator Function*() const noexcept {
            return reinterpret_cast<Function*>(symbol);
        }
    };
    static found find(const char* name) noexcept {
        void* const versioned = dlvsym(RTLD_NEXT, name, "CURL_OPENSSL_4");
        // Of a libcurl that was built without versions dlvsym finds nothing.
        return {versioned != nullptr ? versioned : dlsym(RTLD_NEXT, name)};
    }
};
