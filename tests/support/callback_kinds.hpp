// SPDX-License-Identifier: MIT
#pragma once

#include "support/nginx.hpp"
#include <curlicue/easy.hpp>

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace curlicue::test {

using probe = std::function<void()>;

/// Puts a probe into a callback that the transfer is sure to run.
struct callback_kind {
    std::string name;
    std::function<void(easy&, probe)> install;

    // Of what has no words GoogleTest prints the bytes, which need not all be there.
    friend void PrintTo(const callback_kind& kind, std::ostream* out) { *out << kind.name; }
};

inline void upload(easy& page, std::string_view name) {
    page.setopt<CURLOPT_URL>(nginx::shared().http(std::string("/upload/") += name));
    page.setopt<CURLOPT_UPLOAD>(true);
}

inline const std::vector<callback_kind>& callback_kinds() {
    static const std::vector<callback_kind> kinds{
        {"Write",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_WRITEFUNCTION>([look](std::span<const char> data) {
                 look();
                 return data.size();
             });
         }},
        {"Header",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_HEADERFUNCTION>([look](std::string_view header) {
                 look();
                 return header.size();
             });
         }},
        {"Read",
         [](easy& page, probe look) {
             upload(page, "read");
             page.setopt<CURLOPT_READFUNCTION>([look](std::span<char>) {
                 look();
                 return std::size_t{0};
             });
         }},
        {"Seek",
         [](easy& page, probe look) {
             upload(page, "seek");
             page.setopt<CURLOPT_RESUME_FROM>(1);
             page.setopt<CURLOPT_READFUNCTION>([](std::span<char>) { return std::size_t{0}; });
             page.setopt<CURLOPT_SEEKFUNCTION>([look](curl_off_t, int) {
                 look();
                 return CURL_SEEKFUNC_OK;
             });
         }},
        {"Trailer",
         [](easy& page, probe look) {
             upload(page, "trailer");
             page.setopt<CURLOPT_READFUNCTION>([](std::span<char>) { return std::size_t{0}; });
             page.setopt<CURLOPT_TRAILERFUNCTION>([look] {
                 look();
                 return std::vector<std::string>{"X-Trailer: yes"};
             });
         }},
        {"Progress",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_XFERINFOFUNCTION>(
                 [look](curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
                     look();
                     return 0;
                 });
         }},
        {"Debug",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_VERBOSE>(true);
             page.setopt<CURLOPT_DEBUGFUNCTION>(
                 [look](curl_infotype, std::span<const char>) { look(); });
         }},
        {"Sockopt",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_SOCKOPTFUNCTION>([look](curl_socket_t, curlsocktype) {
                 look();
                 return CURL_SOCKOPT_OK;
             });
         }},
        {"OpenSocket",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_OPENSOCKETFUNCTION>([look](curlsocktype, curl_sockaddr& address) {
                 look();
                 return ::socket(address.family, address.socktype, address.protocol);
             });
         }},
        {"CloseSocket",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_FORBID_REUSE>(true);
             page.setopt<CURLOPT_CLOSESOCKETFUNCTION>([look](curl_socket_t socket) {
                 ::close(socket);
                 look();
                 return 0;
             });
         }},
        {"ResolverStart",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_RESOLVER_START_FUNCTION>([look](void*) {
                 look();
                 return 0;
             });
         }},
        {"Prereq",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_PREREQFUNCTION>(
                 [look](std::string_view, std::string_view, int, int) {
                     look();
                     return CURL_PREREQFUNC_OK;
                 });
         }},
        {"SslContext",
         [](easy& page, probe look) {
             page.setopt<CURLOPT_URL>(nginx::shared().https("/hello"));
             page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
             page.setopt<CURLOPT_SSL_CTX_FUNCTION>([look](void*) {
                 look();
                 return CURLE_OK;
             });
         }},
    };
    return kinds;
}

} // namespace curlicue::test
