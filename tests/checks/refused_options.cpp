// SPDX-License-Identifier: MIT
// Each case is a program that must not compile. Behind its number stands what the one error must
// say, the option's name among it. Without a case, it compiles.
#include <curlicue/easy.hpp>
#include <curlicue/mime.hpp>

#include <chrono>

void wrong(curlicue::easy handle) {
    using namespace std::chrono_literals;
    handle.setopt<CURLOPT_URL>("http://example.com/");
#if CASE == 1 // CURLOPT_URL | this option wants a string
    handle.setopt<CURLOPT_URL>(42);
#elif CASE == 2  // CURLOPT_MAXREDIRS | this option wants a long
    handle.setopt<CURLOPT_MAXREDIRS>("3");
#elif CASE == 3  // CURLOPT_MAXREDIRS | this option wants a long
    handle.setopt<CURLOPT_MAXREDIRS>(3s);
#elif CASE == 4  // CURLOPT_TIMEOUT | this option wants a time
    handle.setopt<CURLOPT_TIMEOUT>(1.5);
#elif CASE == 5  // CURLOPT_HTTPHEADER | this option wants a list of strings
    handle.setopt<CURLOPT_HTTPHEADER>("Accept: text/plain");
#elif CASE == 6  // CURLOPT_INFILESIZE_LARGE | this option wants a curl_off_t
    handle.setopt<CURLOPT_INFILESIZE_LARGE>(nullptr), handle.setopt<CURLOPT_INFILESIZE_LARGE>("1");
#elif CASE == 7  // CURLOPT_SSLCERT_BLOB | this option wants bytes
    handle.setopt<CURLOPT_SSLCERT_BLOB>(1);
#elif CASE == 8  // CURLOPT_ERRORBUFFER | this option belongs to the easy
    char buffer[CURL_ERROR_SIZE];
    handle.setopt<CURLOPT_ERRORBUFFER>(buffer);
#elif CASE == 9  // CURLOPT_MIMEPOST | this option wants an object | MIMEPOST a curlicue::mime
    handle.setopt<CURLOPT_MIMEPOST>("form");
#elif CASE == 10 // CURLOPT_WRITEFUNCTION | this option wants a callable | span<const char
    handle.setopt<CURLOPT_WRITEFUNCTION>([](int) { return 0; });
#elif CASE == 11 // CURLOPT_XFERINFOFUNCTION | this option wants a callable
    handle.setopt<CURLOPT_XFERINFOFUNCTION>(1);
#elif CASE == 12 // CURLOPT_WRITEDATA | this option wants a pointer | std::ostream& to append to
    handle.setopt<CURLOPT_WRITEDATA>(std::string());
#elif CASE == 13 // CURLOPT_TIMEOUT | this option wants a time
    handle.unset<CURLOPT_TIMEOUT>();
#endif
}
