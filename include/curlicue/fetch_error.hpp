// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/error.hpp>
#include <curlicue/header_list.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace curlicue {

/// How far a request came.
enum class fetch_phase {
    url, ///< of a redirect's Location
    queue,
    resolve,
    connect,
    tls,
    send,
    headers,
    body,
};

/// Which of `time_limits` was over.
enum class time_limit { queue, connect, first_byte, stall, total };

/// A request failed. Its code is a `CURLcode` or a `curlicue::errc`; `what()` holds no header's
/// value, no body, and of a URL neither user, password nor query.
class CURLICUE_EXPORT fetch_error : public std::system_error {
public:
    /// @param words what is said beside the code's message; may be empty
    fetch_error(std::error_code code, fetch_phase phase, unsigned attempts = 1,
                std::optional<time_limit> limit = std::nullopt, std::string_view words = {},
                std::error_code cause = {});
    /// What a fetch would have said of a transfer that failed.
    /// @param body_began whether its write callback was called
    explicit fetch_error(const transfer_error& failure, bool body_began = false);
    fetch_error(const fetch_error&) noexcept = default;
    fetch_error& operator=(const fetch_error&) noexcept = default;
    ~fetch_error() override;

    const char* what() const noexcept override { return words_->c_str(); }
    fetch_phase phase() const noexcept { return phase_; }
    /// How often it was tried, the first time included.
    unsigned attempts() const noexcept { return attempts_; }
    /// Where the code is `errc::timed_out`.
    std::optional<time_limit> limit() const noexcept { return limit_; }
    /// What lies behind the code, if that is known: of a connection that failed what the system
    /// says (`std::system_category()`), and the `CURLcode` of what is an `errc`, as
    /// CURLE_OPERATION_TIMEDOUT and CURLE_TOO_MANY_REDIRECTS.
    const std::error_code& cause() const noexcept { return cause_; }

private:
    fetch_phase phase_;
    unsigned attempts_;
    std::optional<time_limit> limit_;
    std::error_code cause_;
    std::shared_ptr<const std::string> words_; // shared: copying an exception must not throw
};

/// A response with a status that is none of success, from `throw_for_status`.
class CURLICUE_EXPORT status_error : public fetch_error {
public:
    status_error(int status, std::string_view reason, header_list headers, std::string body,
                 unsigned attempts = 1);
    status_error(const status_error&) noexcept = default;
    status_error& operator=(const status_error&) noexcept = default;
    ~status_error() override;

    int status() const noexcept { return status_; }
    const header_list& headers() const noexcept { return *headers_; }
    /// What of it was here, at the most 4 KiB.
    const std::string& body() const noexcept { return *body_; }

private:
    int status_;
    std::shared_ptr<const header_list> headers_;
    std::shared_ptr<const std::string> body_;
};

} // namespace curlicue
