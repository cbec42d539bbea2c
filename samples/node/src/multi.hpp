// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include <curlicue/async_multi.hpp>

#include <cstdint>
#include <memory>

namespace curlicue::node {

/// AsyncCurlMulti: an `async_multi` on Node's own loop.
class multi : public std::enable_shared_from_this<multi> {
public:
    static constexpr std::uint64_t tag = 0x6d756c7469;
    static napi_value define(napi_env env);

    /// (caCache, shards, heartbeat in milliseconds)
    explicit multi(const arguments& given);
    multi(const multi&) = delete;
    multi& operator=(const multi&) = delete;
    ~multi();
    void collected() noexcept {} // its transfers keep it
    environment& where() const noexcept { return where_; }

    async_multi& driven() noexcept { return *multi_; }

    /// Of something that keeps this until then.
    napi_value promise_of(future<void> done);
    /// The environment ends.
    void end() noexcept;

private:
    napi_value add_handle(const arguments& given);
    napi_value remove_handle(const arguments& given);
    napi_value contains(const arguments& given);
    napi_value size(const arguments& given);
    napi_value setopt(const arguments& given);
    napi_value close(const arguments& given);
    napi_value drain(const arguments& given);
    napi_value closed(const arguments& given);
    napi_value ref(const arguments& given);
    napi_value unref(const arguments& given);
    napi_value stats(const arguments& given);
    napi_value diagnostics(const arguments& given);

    environment& where_;
    std::unique_ptr<async_multi> multi_; // null once the environment has ended
};

} // namespace curlicue::node
