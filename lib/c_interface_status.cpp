// SPDX-License-Identifier: MIT
#include "c_interface_status.hpp"

#include <cerrno>
#include <new>

namespace curlicue::detail {
namespace {

constexpr int no_memory = -ENOMEM; // UV_ENOMEM

static_assert(CURLICUE_CLOSED == own_status(errc::closed));
static_assert(CURLICUE_ALREADY_ADDED == own_status(errc::already_added));
static_assert(CURLICUE_ATTACHED == own_status(errc::attached));
static_assert(CURLICUE_NOT_ADDED == own_status(errc::not_added));
static_assert(CURLICUE_NULL_HANDLE == own_status(errc::null_handle));
static_assert(CURLICUE_WRONG_THREAD == own_status(errc::wrong_thread));
static_assert(CURLICUE_INSIDE_CALLBACK == own_status(errc::inside_callback));
static_assert(CURLICUE_FORKED == own_status(errc::forked));
static_assert(CURLICUE_TOO_OLD == own_status(errc::too_old));
static_assert(CURLICUE_WOULD_BLOCK == own_status(errc::would_block));
static_assert(CURLICUE_CANCELLED == own_status(errc::cancelled));
static_assert(CURLICUE_TIMED_OUT == own_status(errc::timed_out));
static_assert(CURLICUE_REDIRECT_REFUSED == own_status(errc::redirect_refused));
static_assert(CURLICUE_TOO_LARGE == own_status(errc::too_large));
static_assert(CURLICUE_QUEUE_FULL == own_status(errc::queue_full));
static_assert(CURLICUE_ADDRESS_REFUSED == own_status(errc::address_refused));
static_assert(CURLICUE_RETRIES_EXHAUSTED == own_status(errc::retries_exhausted));

std::string words_for(int status) {
    switch (status) {
    case CURLICUE_OK:
        return "success";
    case CURLICUE_BAD_OPTION:
        return "an option that curlicue sets itself, or that takes no number";
    case CURLICUE_MALFORMED:
        return "a request, or options, that are malformed";
    case CURLICUE_AGAIN:
        return "nothing to read yet";
    case CURLICUE_FAILED:
        return "it failed";
    default:
        return status < 0                       ? uv_category().message(status)
               : status < CURLICUE_MULTI_STATUS ? easy_category().message(status)
               : status < CURLICUE_OWN_STATUS
                   ? multi_category().message(status - CURLICUE_MULTI_STATUS)
                   : curlicue_category().message(status - CURLICUE_OWN_STATUS);
    }
}

std::string& last_words() noexcept {
    thread_local std::string words;
    return words;
}

} // namespace

int status_of(const std::error_code& code) noexcept {
    if (code.category() == curlicue_category())
        return CURLICUE_OWN_STATUS + code.value();
    if (code.category() == multi_category())
        return CURLICUE_MULTI_STATUS + code.value();
    if (is_easy_error(code) || code.category() == uv_category())
        return code.value();
    if (code.category() == std::generic_category() || code.category() == std::system_category())
        return -code.value(); // UV_E…
    return CURLICUE_FAILED;
}

int current_status(int malformed) noexcept {
    try {
        throw;
    } catch (const ended_by_callback& ended) {
        return ended.status();
    } catch (const usage_error& error) {
        return status_of(error.code());
    } catch (const std::system_error& error) {
        return status_of(error.code());
    } catch (const std::bad_alloc&) {
        return no_memory;
    } catch (const std::invalid_argument&) {
        return malformed;
    } catch (...) {
        return CURLICUE_FAILED;
    }
}

int refused(int malformed) noexcept {
    auto& words = last_words();
    words.clear();
    try {
        throw;
    } catch (const std::exception& error) {
        try {
            words = error.what();
        } catch (const std::bad_alloc&) {
            // Its status says so.
        }
    } catch (...) {
        // It says nothing.
    }
    return current_status(malformed);
}

} // namespace curlicue::detail

using namespace curlicue::detail;

const char* curlicue_strerror(int status) {
    thread_local std::string words;
    try {
        words = words_for(status);
    } catch (const std::bad_alloc&) {
        return "out of memory";
    }
    return words.c_str();
}

const char* curlicue_last_refusal() { return last_words().c_str(); }
