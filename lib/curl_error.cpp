// SPDX-License-Identifier: MIT
#include "curl_error.hpp"

#include "immortal.hpp"
#include "throwing_category.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

#include <curl/curl.h>

namespace curlicue {
namespace {

using condition = std::error_condition;

/// The portable condition of a code, where there is one.
using mapping = std::optional<std::errc> (*)(int code) noexcept;
using wording = const char* (*)(int code) noexcept;
/// The exception of a code. What only calls fail with is a `std::system_error`.
using throwing = std::exception_ptr (*)(const std::error_code& code);

template <class Error> std::exception_ptr thrown_as(const std::error_code& code) {
    return std::make_exception_ptr(Error(code));
}

class curl_category : public detail::throwing_category {
public:
    constexpr curl_category(const char* name, wording words, mapping portable,
                            throwing thrown = &thrown_as<std::system_error>) noexcept
        : name_(name), words_(words), portable_(portable), thrown_(thrown) {}
    const char* name() const noexcept override { return name_; }
    std::string message(int code) const override { return words_(code); }
    condition default_error_condition(int code) const noexcept override {
        const auto equal = portable_(code);
        return equal ? condition(*equal) : condition(code, *this);
    }
    std::exception_ptr exception_of(int code) const override { return thrown_({code, *this}); }

private:
    const char* name_;
    wording words_;
    mapping portable_;
    throwing thrown_;
};

std::optional<std::errc> portable_easy(int code) noexcept {
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_FTP_ACCEPT_TIMEOUT:
        return std::errc::timed_out;
    case CURLE_COULDNT_CONNECT:
        return std::errc::connection_refused;
    case CURLE_OUT_OF_MEMORY:
        return std::errc::not_enough_memory;
    case CURLE_ABORTED_BY_CALLBACK:
        return std::errc::operation_canceled;
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
    case CURLE_TFTP_PERM:
        return std::errc::permission_denied;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return std::errc::protocol_not_supported;
    case CURLE_FILESIZE_EXCEEDED:
        return std::errc::file_too_large;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return std::errc::connection_reset;
    case CURLE_FILE_COULDNT_READ_FILE:
    case CURLE_REMOTE_FILE_NOT_FOUND:
    case CURLE_TFTP_NOTFOUND:
        return std::errc::no_such_file_or_directory;
    case CURLE_REMOTE_FILE_EXISTS:
        return std::errc::file_exists;
    case CURLE_REMOTE_DISK_FULL:
        return std::errc::no_space_on_device;
    case CURLE_AGAIN:
        return std::errc::operation_would_block;
    case CURLE_NOT_BUILT_IN:
        return std::errc::not_supported;
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_SETOPT_OPTION_SYNTAX:
    case CURLE_URL_MALFORMAT:
        return std::errc::invalid_argument;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
        return std::errc::protocol_error;
    case CURLE_TOO_MANY_REDIRECTS:
        return std::errc::too_many_links;
    default:
        return std::nullopt;
    }
}

std::optional<std::errc> portable_multi(int code) noexcept {
    switch (code) {
    case CURLM_OUT_OF_MEMORY:
        return std::errc::not_enough_memory;
    case CURLM_BAD_HANDLE:
    case CURLM_BAD_EASY_HANDLE:
    case CURLM_BAD_SOCKET:
    case CURLM_UNKNOWN_OPTION:
    case CURLM_BAD_FUNCTION_ARGUMENT:
        return std::errc::invalid_argument;
    case CURLM_ABORTED_BY_CALLBACK:
        return std::errc::operation_canceled;
    default:
        return std::nullopt;
    }
}

std::optional<std::errc> portable_share(int code) noexcept {
    switch (code) {
    case CURLSHE_NOMEM:
        return std::errc::not_enough_memory;
    case CURLSHE_IN_USE:
        return std::errc::device_or_resource_busy;
    case CURLSHE_BAD_OPTION:
    case CURLSHE_INVALID:
        return std::errc::invalid_argument;
    case CURLSHE_NOT_BUILT_IN:
        return std::errc::not_supported;
    default:
        return std::nullopt;
    }
}

std::optional<std::errc> portable_url(int code) noexcept {
    switch (code) {
    case CURLUE_OUT_OF_MEMORY:
        return std::errc::not_enough_memory;
    case CURLUE_UNSUPPORTED_SCHEME:
        return std::errc::protocol_not_supported;
    case CURLUE_LACKS_IDN:
        return std::errc::not_supported;
    default:
        return std::errc::invalid_argument;
    }
}

const char* easy_words(int code) noexcept {
    return curl_easy_strerror(static_cast<CURLcode>(code));
}
const char* multi_words(int code) noexcept {
    return curl_multi_strerror(static_cast<CURLMcode>(code));
}
const char* share_words(int code) noexcept {
    return curl_share_strerror(static_cast<CURLSHcode>(code));
}

/// Where the system has refused something, and what its code stands for is not why.
class refused_by_system final : public curl_category {
public:
    explicit refused_by_system(std::size_t os_error)
        : curl_category("curl", &easy_words, &portable_easy, &thrown_as<transfer_error>),
          os_error_(static_cast<int>(os_error)) {}
    condition default_error_condition(int code) const noexcept override {
        return os_error_ != 0 ? std::generic_category().default_error_condition(os_error_)
                              : condition(code, *this);
    }

private:
    int os_error_;
};

constexpr std::size_t errors_of_system = 134; // Linux has the most

template <std::size_t... Error> struct refusals {
    explicit refusals(std::index_sequence<Error...>) noexcept {}
    std::array<refused_by_system, sizeof...(Error)> all{refused_by_system(Error)...};
};

const std::error_category& refusal_by_system(int os_error) noexcept {
    constexpr auto numbers = std::make_index_sequence<errors_of_system>();
    static const detail::immortal<decltype(refusals(numbers))> table(numbers);
    const auto error = static_cast<std::size_t>(os_error);
    return table.object.all[error < errors_of_system ? error : 0];
}

/// Whether what the code equals by itself is right. A refusal before a connection stood may have
/// been that of another address.
bool is_known_by(CURLcode code, int os_error) noexcept {
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return os_error == ECONNREFUSED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
        return os_error == 0 || os_error == ECONNREFUSED ||
               (os_error == ECONNRESET && code != CURLE_SSL_CONNECT_ERROR);
    default:
        return true;
    }
}

/// What to do about it, where libcurl's words leave that open.
const char* url_words(int code) noexcept {
    switch (code) {
    case CURLUE_UNSUPPORTED_SCHEME:
        return "Unsupported URL scheme; CURLU_NON_SUPPORT_SCHEME lets it pass";
    case CURLUE_BAD_SCHEME:
        return "Bad or missing scheme; CURLU_GUESS_SCHEME or CURLU_DEFAULT_SCHEME adds one";
    case CURLUE_USER_NOT_ALLOWED:
        return "Credentials were in the URL, and CURLU_DISALLOW_USER refuses them";
    case CURLUE_LACKS_IDN:
        return "libcurl was built without IDN; give the host name in punycode";
    default:
        return curl_url_strerror(static_cast<CURLUcode>(code));
    }
}

} // namespace

const std::error_category& easy_category() noexcept {
    static const detail::immortal<curl_category> category("curl", &easy_words, &portable_easy,
                                                          &thrown_as<transfer_error>);
    return category.object;
}

bool is_easy_error(const std::error_code& code) noexcept {
    return code.category() == easy_category() ||
           dynamic_cast<const refused_by_system*>(&code.category()) != nullptr;
}

std::error_code detail::transfer_code(CURLcode code, int os_error) noexcept {
    return {code, is_known_by(code, os_error) ? easy_category() : refusal_by_system(os_error)};
}

const std::error_category& multi_category() noexcept {
    static const detail::immortal<curl_category> category("curl multi", &multi_words,
                                                          &portable_multi, &thrown_as<multi_error>);
    return category.object;
}

const std::error_category& share_category() noexcept {
    static const detail::immortal<curl_category> category("curl share", &share_words,
                                                          &portable_share);
    return category.object;
}

const std::error_category& url_category() noexcept {
    static const detail::immortal<curl_category> category("curl url", &url_words, &portable_url);
    return category.object;
}

[[gnu::noinline]] multi_error::multi_error(int code, const std::string& what)
    : std::system_error(code, multi_category(), what) {}
multi_error::multi_error(const std::error_code& code) : std::system_error(code) {}
multi_error::~multi_error() = default;

transfer_error::transfer_error(int code, std::string error_buffer, const easy& handle, int os_error)
    : std::system_error(detail::transfer_code(static_cast<CURLcode>(code), os_error)),
      error_buffer_(std::make_shared<const std::string>(std::move(error_buffer))),
      handle_(std::make_shared<const easy>(handle)), os_error_(os_error) {}
transfer_error::transfer_error(const std::error_code& code)
    : std::system_error(code), error_buffer_(std::make_shared<const std::string>()),
      handle_(std::make_shared<const easy>(detail::easy_access::wrap(nullptr))), os_error_(0) {}
transfer_error::~transfer_error() = default;

// Not both: libcurl's own words are those of the code, or more.
const char* transfer_error::what() const noexcept {
    return error_buffer_->empty() ? std::system_error::what() : error_buffer_->c_str();
}

} // namespace curlicue
