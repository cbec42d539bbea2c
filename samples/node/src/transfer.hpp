// SPDX-License-Identifier: MIT
#pragma once

#include "body.hpp"
#include "class.hpp"
#include "client.hpp"
#include "deferred.hpp"
#include <curlicue/request.hpp>
#include <curlicue/response.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace curlicue::node {

/// One `fetch` for JavaScript. What of JavaScript's it calls are members of its own object, which
/// keeps them, so that one which knows the response is no cycle.
class transfer final : public std::enable_shared_from_this<transfer> {
public:
    static constexpr std::uint64_t tag = 0x7472616e73666572;
    static napi_value define(napi_env env);

    /// (Client, what request_of takes …)
    explicit transfer(const arguments& given);
    /// Nobody can read the response any more: it need not come.
    void collected() noexcept { end(); }
    environment& where() const noexcept { return where_; }

private:
    napi_value start(const arguments& given);
    napi_value head(const arguments& given);
    napi_value headers(const arguments& given);
    napi_value read(const arguments& given);
    napi_value read_all(const arguments& given);
    napi_value write(const arguments& given);
    napi_value end_upload(const arguments& given);
    napi_value cancel(const arguments& given);

    napi_value call(const char* member, std::initializer_list<napi_value> given) const;
    void tweak(easy& handle);
    bool allows(const sockaddr& address) const;
    void tell_end();
    napi_value failure_of_upload();
    void has_head(result<response>&& answer);
    void require_no_failure() const;
    void end() noexcept;
    template <class T, class Give> napi_value later(future<T> what, Give give);
    napi_value failure_or(const std::exception_ptr& why);
    void append(std::string_view data);
    napi_value whole();

    environment& where_;
    const std::shared_ptr<fetch_client> client_;
    std::optional<body_writer> writer_;
    request request_;               // which fills the one before
    std::optional<reference> self_; // weak; where members of it are called
    future<void> asked_;            // until its head is there
    deferred head_wanted_;
    std::optional<response> response_;
    std::optional<body_stream> stream_;
    std::optional<js_exception> failure_; // why JavaScript has ended it

    body body_; // of one that is read as a whole
    bool as_text_ = false;
    std::size_t most_ = 0;
};

} // namespace curlicue::node
