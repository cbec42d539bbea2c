// SPDX-License-Identifier: MIT
#pragma once

#include "blocks.hpp"
#include "class.hpp"
#include "guarded_easy.hpp"
#include <curlicue/async_multi.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace curlicue::node {

/// AsyncCurlMulti: an `async_multi` on Node's own loop, and the easies and the memory that fetch
/// uses again there.
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
    guarded_easies& easies() noexcept { return easies_; }
    const std::shared_ptr<blocks>& memory() const noexcept { return memory_; }

    /// Whether the process goes on for it: while something is pending, and `unref` was not called.
    class busy {
    public:
        explicit busy(std::shared_ptr<multi> with) : with_(std::move(with)) { with_->count(1); }
        busy(busy&&) noexcept = default;
        busy(const busy&) = delete;
        busy& operator=(const busy&) = delete;
        busy& operator=(busy&&) = delete;
        ~busy() {
            if (with_)
                with_->count(-1);
        }

    private:
        std::shared_ptr<multi> with_;
    };

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

    void count(int change) noexcept;
    void hold_loop() noexcept;
    void rest_later() noexcept;
    void rest() noexcept;
    napi_value promise_of(future<void> done);

    environment& where_;
    std::unique_ptr<async_multi> multi_; // null once the environment has ended
    guarded_easies easies_;
    std::shared_ptr<blocks> memory_ = std::make_shared<blocks>();
    std::size_t pending_ = 0;
    bool referenced_ = true;
    std::optional<promise<void>> idle_; // of a future that only times out
};

} // namespace curlicue::node
