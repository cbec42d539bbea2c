// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace curlicue::test {

/// What a program did: how it ended, what it wrote, the files it left.
struct deed {
    int status;
    std::string out, err;
    std::string files;    ///< with their names
    std::string statuses; ///< of each curl
};

/// Runs a script of sh in an empty directory, with what servers are called in variables:
/// $HTTP, $HTTPS, $FTP, $ODD (the odd_server), $CA (its file), $SOCKET (a unix socket that speaks
/// HTTP), $PROXY, $SOCKS (host and port), $REFUSED (where nobody listens), $PROGRAM
/// (preload_program). What differs by nature from one time to the next, dates and the like, is
/// written out of it.
deed run_without_preload(const std::string& script);
/// The same with libcurlicue-perform.so.
deed run_under_preload(const std::string& script);

} // namespace curlicue::test
