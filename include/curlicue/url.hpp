// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <curl/curl.h>

namespace curlicue {

/// A URL in its parts, parsed and put together by libcurl itself: a `CURLU*`.
///
/// *Ownership:* a value. Copies are independent; one that was moved from is empty.
/// @throws (all members that throw) std::system_error in `url_category()`; the message never shows
///     the URL. usage_error{errc::embedded_nul} for a string that has one.
/// @threading one thread at a time
class CURLICUE_EXPORT url {
public:
    url();
    /// @param flags CURLU_GUESS_SCHEME, CURLU_NON_SUPPORT_SCHEME … (curl_url_set(3))
    explicit url(std::string_view text, unsigned flags = 0);
    url(const url& other);
    url(url&& other) noexcept = default;
    url& operator=(const url& other);
    url& operator=(url&& other) noexcept = default;
    ~url() = default;

    /// @returns none if the URL has no such part
    /// @param flags CURLU_URLDECODE, CURLU_DEFAULT_PORT … (curl_url_get(3))
    std::optional<std::string> get(CURLUPart part, unsigned flags = 0) const;
    /// A part that libcurl refuses leaves the URL as it was.
    /// @param part CURLUPART_URL replaces all; relative to the present one, if there is one
    /// @param flags CURLU_URLENCODE, CURLU_APPENDQUERY …
    url& set(CURLUPart part, std::string_view text, unsigned flags = 0);
    url& unset(CURLUPart part);

    /// The whole URL.
    std::string to_string(unsigned flags = 0) const;
    /// The same URL, as text without default ports. An empty one equals an empty one.
    friend CURLICUE_EXPORT bool operator==(const url& left, const url& right);

    /// *Ownership:* stays here.
    CURLU* native_handle() const noexcept { return handle_.get(); }

private:
    struct cleanup {
        CURLICUE_EXPORT void operator()(CURLU* handle) const noexcept;
    };
    std::unique_ptr<CURLU, cleanup> handle_;
};

} // namespace curlicue

template <> struct std::is_error_code_enum<CURLUcode> : std::true_type {};
/// In the namespace of libcurl's type, which is where argument-dependent look-up finds it.
inline std::error_code make_error_code(CURLUcode code) noexcept {
    return {static_cast<int>(code), curlicue::url_category()};
}
