// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include "curl_functions.hpp"
#include <curlicue/easy.hpp>

#include <cstdint>
#include <memory>

namespace curlicue::node {

/// Curl: an `easy`, and the functions that libcurl calls. The JavaScript object is kept while it is
/// added.
class curl : public std::enable_shared_from_this<curl> {
public:
    static constexpr std::uint64_t tag = 0x6375726c;
    static napi_value define(napi_env env);
    /// An object for an easy that is there already, and that somebody else transfers with.
    /// *Ownership:* shared with it.
    static napi_value wrap(environment& where, napi_value js_class, const easy& handle);

    /// (url or undefined)
    explicit curl(const arguments& given);
    void collected() noexcept {}

    environment& where() const noexcept { return where_; }
    const easy& handle() const noexcept { return handle_; }
    /// Before a transfer of its own. @throws coded_error for the Curl of a fetch
    easy& begin(const char* what);
    napi_value error(const std::exception_ptr& failure) const {
        return where_.error(failure, functions_->body_began);
    }

private:
    napi_value setopt(const arguments& given);
    napi_value unset(const arguments& given);
    napi_value getinfo(const arguments& given);
    napi_value perform(const arguments& given);
    napi_value pause(const arguments& given);
    napi_value unpause(const arguments& given);
    napi_value reset(const arguments& given);
    napi_value close(const arguments& given);
    napi_value closed(const arguments& given);
    napi_value errstr(const arguments& given);

    environment& where_;
    const bool lent_; // by a fetch
    easy handle_;
    const std::shared_ptr<curl_functions> functions_;
};

} // namespace curlicue::node
