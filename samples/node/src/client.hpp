// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include "multi.hpp"
#include <curlicue/fetch.hpp>

#include <cstdint>
#include <memory>

namespace curlicue::node {

/// What the JavaScript class Client has behind it: a client on a multi, which it keeps.
class fetch_client {
public:
    static constexpr std::uint64_t tag = 0x636c69656e74;
    static napi_value define(napi_env env);

    /// (multi, an array of how many for each origin, in all, and in the queue, and bytes that may
    /// wait; each may be undefined)
    explicit fetch_client(const arguments& given);
    void collected() noexcept {} // its transfers keep it
    environment& where() const noexcept { return multi_->where(); }

    const client& made() const noexcept { return client_; }
    const redirect_policy& redirects() const noexcept { return redirects_; }
    executor& where_it_runs() const { return multi_->driven().executor(); }

private:
    napi_value stats(const arguments& given);
    napi_value close(const arguments& given);

    const std::shared_ptr<multi> multi_;
    const redirect_policy redirects_;
    const client client_;
};

} // namespace curlicue::node
