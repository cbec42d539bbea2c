// SPDX-License-Identifier: MIT
// libcurlicue-perform.so: the curl_easy_perform of programs that know nothing of it (README.md).
// The other functions say how it is to perform, and when its connections end.
#include "handles.hpp"
#include "libcurl.hpp"
#include <curlicue/error.hpp>

#include <cstdarg>
#include <exception>
#include <new>
#include <system_error>

#include <curl/curl.h>
#include <uv.h>

#define TAKES_OVER extern "C" __attribute__((visibility("default")))

namespace {

// libuv ends a program that has no descriptors for its first loop (signal.c,
// uv__signal_global_init). At the start of the program there are some.
[[maybe_unused]] const int first_loop = [] {
    uv_loop_t loop;
    return uv_loop_init(&loop) == 0 ? uv_loop_close(&loop) : 0;
}();

CURLcode code_of(const std::error_code& failure, CURL* handle) {
    if (curlicue::is_easy_error(failure))
        return static_cast<CURLcode>(failure.value());
    const bool refused =
        failure.value() == CURLM_ADDED_ALREADY || failure.value() == CURLM_BAD_EASY_HANDLE;
    if (failure.category() != curlicue::multi_category() || refused)
        return libcurl::next().perform(handle); // nothing has begun; libcurl has words for it
    // As libcurl has it (easy.c, easy_transfer).
    return failure.value() == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY
                                                  : CURLE_BAD_FUNCTION_ARGUMENT;
}

CURLcode perform(CURL* handle) try {
    auto& known = handles::all()[handle];
    const auto lent = curlicue::easy::borrow(handle);
    // What connects only is to leave its connection where curl_easy_send finds it.
    known.libcurls_own |= known.options.connect_only != 0;
    if (known.libcurls_own || lent.attached()) // which it refuses
        return libcurl::next().perform(handle);
    known.multi().perform(lent, known.options.max_connects);
    return CURLE_OK;
} catch (const std::system_error& error) {
    return code_of(error.code(), handle);
} catch (const std::exception&) {
    return CURLE_OUT_OF_MEMORY;
}

CURLcode set_number(CURL* handle, CURLoption option, long value) try {
    const auto code = libcurl::next().setopt(handle, option, value);
    if (code == CURLE_OK && option == CURLOPT_CONNECT_ONLY)
        handles::all()[handle].options.connect_only = value;
    if (code == CURLE_OK && option == CURLOPT_MAXCONNECTS)
        handles::all()[handle].options.max_connects = value;
    return code;
} catch (const std::bad_alloc&) {
    return CURLE_OUT_OF_MEMORY;
}

} // namespace

TAKES_OVER CURLcode curl_easy_perform(CURL* handle) {
    return handle == nullptr ? libcurl::next().perform(handle) : perform(handle);
}

// An option's number says what its value is. After an enumeration va_start is undefined: the name
// is given to a function that takes what it is promoted to.
TAKES_OVER CURLcode set_option(CURL* handle, int number, ...) __asm__("curl_easy_setopt");
CURLcode set_option(CURL* handle, int number, ...) {
    const auto option = static_cast<CURLoption>(number);
    std::va_list value;
    va_start(value, number);
    const auto code = option < CURLOPTTYPE_OBJECTPOINT
                          ? set_number(handle, option, va_arg(value, long))
                      : option / 10000 == CURLOPTTYPE_OFF_T / 10000
                          ? libcurl::next().setopt(handle, option, va_arg(value, curl_off_t))
                          : libcurl::next().setopt(handle, option, va_arg(value, void*));
    va_end(value);
    return code;
}

TAKES_OVER void curl_easy_reset(CURL* handle) {
    libcurl::next().reset(handle);
    if (auto* const known = handles::all().find(handle))
        known->options = {}; // its connections stay
}

TAKES_OVER CURL* curl_easy_duphandle(CURL* handle) {
    CURL* const copy = libcurl::next().duphandle(handle);
    try {
        if (const auto* const known = handles::all().find(handle); known != nullptr && copy)
            handles::all()[copy].options = known->options;
        return copy;
    } catch (const std::bad_alloc&) {
        libcurl::next().cleanup(copy);
        return nullptr;
    }
}

TAKES_OVER void curl_easy_cleanup(CURL* handle) {
    handles::all().forget(handle);
    libcurl::next().cleanup(handle);
}
