// SPDX-License-Identifier: MIT
#pragma once

#include "body_content.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <string>

namespace curlicue::detail {

/// What a `body_writer` writes, and a request reads.
/// @threading thread-safe
class pipe {
public:
    pipe();
    pipe(const pipe&) = delete;
    pipe& operator=(const pipe&) = delete;
    ~pipe();

    /// Ready when there is room. @throws usage_error{errc::closed} after the end
    future<void> write(std::string piece);
    void end();
    void fail(const std::exception_ptr& why);
    /// Its writer is gone.
    void abandon() noexcept;

    /// It is read by a request, whose executor is `link`. @throws
    /// usage_error{errc::already_retrieved}
    void bind(const intrusive_ptr<executor_link>& link);
    bool bound() const noexcept;
    future<std::string> next();
    /// The next piece, empty at the end, if it is here.
    std::optional<std::string> at_hand() noexcept;
    /// Nobody reads it (any more), for this reason or none.
    void close(const std::exception_ptr& why) noexcept;

private:
    class word;
    using reader = promise_state<std::string>;
    /// Who waits for room.
    struct writer {
        std::uint64_t end; // of what was written
        intrusive_ptr<word> told;
    };
    using writers = std::list<writer>;

    void end_with(const std::exception_ptr& why) noexcept;
    void hand_over(std::unique_lock<std::mutex>& lock) noexcept;
    std::string take_piece(std::unique_lock<std::mutex>& lock) noexcept;
    static void tell(const writers& who, const result<void>& outcome) noexcept;
    void require_open(const char* what) const;

    mutable std::mutex mutex_;
    std::deque<std::string> pieces_;
    std::uint64_t written_ = 0, taken_ = 0; // bytes
    writers waiting_;                       // in their order
    bool ended_ = false, over_ = false;
    std::exception_ptr failure_;    // the writer's, for the reader
    failure refusal_{errc::closed}; // the transfer's, for the writer
    intrusive_ptr<executor_link> link_;
    intrusive_ptr<reader> reading_;
};

/// The reading end of a pipe. Gone unread, its writer hears of it.
class piped_content final : public body_content {
public:
    piped_content(std::shared_ptr<pipe> from, std::optional<std::uint64_t> size) noexcept
        : pipe_(std::move(from)), size_(size) {}
    ~piped_content() override { pipe_->close(nullptr); }

    std::optional<std::uint64_t> size() const noexcept override { return size_; }
    request_body::producer open(const intrusive_ptr<executor_link>& link) override;
    std::optional<std::string> at_hand() noexcept override { return pipe_->at_hand(); }
    void close(const std::exception_ptr& why) noexcept override { pipe_->close(why); }
    void give_up(const std::exception_ptr& why) noexcept override {
        if (!pipe_->bound())
            pipe_->close(why);
    }

private:
    const std::shared_ptr<pipe> pipe_;
    const std::optional<std::uint64_t> size_;
};

} // namespace curlicue::detail
