// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/callbacks.hpp>
#include <curlicue/detail/export.hpp>
#include <curlicue/easy.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <curl/curl.h>

namespace curlicue {

namespace detail {
struct mime_access;
}
class mime;

/// One part of a `mime`: a form field, an attachment. A value; all setters replace, and return the
/// part. Strings are copied, data and callables are shared by copies.
/// @throws (the setters that take text) usage_error{errc::embedded_nul}
class CURLICUE_EXPORT mimepart {
public:
    using reader = std::size_t(std::span<char>);
    using seeker = int(curl_off_t, int);

    mimepart& name(std::string_view text);
    /// The file name that the receiver is told.
    mimepart& filename(std::string_view text);
    /// The content type; libcurl guesses one from the file name otherwise.
    mimepart& type(std::string_view text);
    /// "binary", "8bit", "7bit", "base64" or "quoted-printable"
    mimepart& encoder(std::string_view text);
    mimepart& headers(std::vector<std::string> lines);

    /// The content: bytes, copied once and never again.
    template <class Data>
    requires detail::bytes_like<Data> mimepart& data(const Data& content) {
        return set_data(detail::as_byte_span(content));
    }
    /// The content of a file, read while it is sent.
    mimepart& file(std::string_view path);
    /// The content comes from a callable that fills a buffer and tells how many bytes it wrote, 0
    /// at the end, or CURL_READFUNC_PAUSE or _ABORT; it may take a leading `easy&`, and may throw.
    /// @param size in bytes, -1: not known
    template <class Reader>
    requires detail::fits<std::decay_t<Reader>, reader>::value mimepart&
    callback(Reader&& read, curl_off_t size = -1) {
        return set_callback(detail::as_callable<reader>(std::forward<Reader>(read)), nullptr, size);
    }
    /// The same, of a source that can be sent twice, as after a redirect.
    /// @param seek as SEEKFUNCTION: offset and origin, returns CURL_SEEKFUNC_OK or another
    template <class Reader, class Seeker>
    requires detail::fits<std::decay_t<Reader>, reader>::value &&
        detail::fits<std::decay_t<Seeker>, seeker>::value mimepart&
        callback(Reader&& read, Seeker&& seek, curl_off_t size = -1) {
        return set_callback(detail::as_callable<reader>(std::forward<Reader>(read)),
                            detail::as_callable<seeker>(std::forward<Seeker>(seek)), size);
    }
    /// A multipart inside this part, as it is now.
    mimepart& subparts(const mime& parts);

private:
    friend struct detail::mime_access;
    struct file_path {
        std::string path;
    };
    struct source {
        detail::intrusive_ptr<detail::ref_counted> read;
        detail::intrusive_ptr<detail::ref_counted> seek;
        curl_off_t size;
    };
    mimepart& set_data(detail::bytes content);
    mimepart& set_callback(detail::intrusive_ptr<detail::ref_counted> read,
                           detail::intrusive_ptr<detail::ref_counted> seek, curl_off_t size);

    std::string name_;
    std::string filename_;
    std::string type_;
    std::string encoder_;
    std::vector<std::string> headers_;
    std::variant<std::monostate, std::shared_ptr<const std::string>, file_path, source,
                 std::shared_ptr<const mime>>
        content_;
};

/// A multipart body, as a form has: `mime m; m.addpart().name("answer").data("42");`
///
/// A value: CURLOPT_MIMEPOST takes it as it is then and keeps what it needs; the easy may be
/// performed, reset and duplicated, and the `mime` changed and set on others.
/// @threading one thread at a time
class CURLICUE_EXPORT mime {
public:
    /// The part lives as long as the `mime`.
    mimepart& addpart() { return parts_.emplace_back(); }
    bool empty() const noexcept { return parts_.empty(); }
    std::size_t size() const noexcept { return parts_.size(); }

private:
    friend struct detail::mime_access;
    std::deque<mimepart> parts_;
};

} // namespace curlicue
