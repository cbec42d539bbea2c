// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/executor_link.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/request.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace curlicue::detail {

/// What a `request_body` stands for.
/// @threading thread-safe
class body_content {
public:
    virtual ~body_content() = default;

    virtual std::optional<std::uint64_t> size() const noexcept { return std::nullopt; }
    /// Whether `open` gives the same again.
    virtual bool replayable() const noexcept { return false; }
    /// Empty: not known.
    virtual std::string content_type() const { return {}; }
    /// All of it, where it is in memory; else null.
    virtual const std::string* text() const noexcept { return nullptr; }
    /// Where libcurl reads it itself; else null.
    virtual const mime* parts() const noexcept { return nullptr; }
    /// What brings it piece by piece; who asks runs at `link`.
    /// @throws usage_error{errc::already_retrieved} the second time, if it is not replayable
    virtual request_body::producer open(const intrusive_ptr<executor_link>& link) = 0;
    /// What `open` gave would bring, if that is here already. On the loop's thread, inside libcurl.
    virtual std::optional<std::string> at_hand() noexcept { return std::nullopt; }
    /// Who has opened it asks for no more: the transfer is over, with this failure or none.
    virtual void close(const std::exception_ptr& why) noexcept { static_cast<void>(why); }
    /// The request has failed. If nobody has opened it, nobody will.
    virtual void give_up(const std::exception_ptr& why) noexcept { static_cast<void>(why); }
};

struct body_access {
    static const std::shared_ptr<body_content>& content(const request_body& of) noexcept {
        return of.content_;
    }
};

} // namespace curlicue::detail
