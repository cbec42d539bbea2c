// SPDX-License-Identifier: MIT
#pragma once

#include "byte_queue.hpp"
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/response.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace curlicue::detail {

/// One response, for several: each has its head and all of its body. The fastest of them has the
/// next piece asked for.
/// @threading thread-safe
class broadcast final : public std::enable_shared_from_this<broadcast> {
public:
    /// @param most bytes that are kept for one of them
    broadcast(response one, executor& where, std::size_t most);
    ~broadcast();

    /// For one more, before anybody reads.
    response join();

private:
    /// What one of them has yet to read.
    struct listener {
        byte_queue waiting;
        std::optional<promise<std::string>> asked;
        std::exception_ptr lost; // it was too far behind
    };
    using told = std::vector<promise<std::string>>;

    future<std::string> read(listener& mine);
    void pull();
    void came(result<std::string>&& piece) noexcept;
    void hand_out(const std::string& piece, told& to);
    void fail(const std::exception_ptr& why) noexcept;
    std::optional<promise<std::string>> whoever_has_asked() noexcept;

    executor& where_;
    response head_;
    const std::size_t most_;
    body_stream body_;
    std::mutex mutex_; // guards what follows
    std::vector<std::weak_ptr<listener>> listeners_;
    bool pulling_ = false;
    bool over_ = false;
    std::exception_ptr failure_;
    future<void> pull_;
};

} // namespace curlicue::detail
