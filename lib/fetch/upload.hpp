// SPDX-License-Identifier: MIT
#pragma once

#include "body_content.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace curlicue::detail {

/// The body of a request on its way to libcurl, which asks for more where the server takes it.
/// @threading loop-bound
class upload {
public:
    class owner {
    public:
        /// libcurl may ask again.
        virtual void upload_has_more() noexcept = 0;
        /// libcurl has taken something.
        virtual void upload_moves() noexcept = 0;
        virtual void upload_failed(std::exception_ptr why) noexcept = 0;
        /// The owner, kept alive.
        virtual intrusive_ptr<ref_counted> kept() noexcept = 0;

    protected:
        ~owner() = default;
    };

    /// @param may_repeat whether libcurl may send it again, on another connection
    upload(owner& told, std::shared_ptr<body_content> content, intrusive_ptr<executor_link> link,
           bool may_repeat) noexcept
        : owner_(told), content_(std::move(content)), link_(std::move(link)),
          may_repeat_(may_repeat) {}
    upload(const upload&) = delete;
    upload& operator=(const upload&) = delete;
    ~upload() { stop(nullptr); }

    static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self);
    static int on_seek(void* self, curl_off_t offset, int origin);

    /// Whether it has something that libcurl has not taken.
    bool has_data() const noexcept { return taken_ != piece().size(); }
    /// How much libcurl has taken.
    std::uint64_t given() const noexcept { return given_; }
    bool ended() const noexcept { return ended_; }
    /// Whether anything has been asked for.
    bool begun() const noexcept { return begun_; }
    bool may_repeat() const noexcept { return may_repeat_; }
    /// Whether libcurl waits until there is more.
    bool waits() const noexcept { return paused_; }
    /// It need not wait any longer.
    void go_on() noexcept {
        if (std::exchange(paused_, false))
            owner_.upload_has_more();
    }
    /// The transfer is over.
    void stop(const std::exception_ptr& why) noexcept;

private:
    std::size_t give(std::span<char> buffer);
    bool take_at_hand() noexcept;
    void ask();
    void ask_now() noexcept;
    void came(result<std::string>&& piece) noexcept;
    bool keeps_to_its_size(std::size_t more) noexcept;
    std::string_view piece() const noexcept { return whole_ != nullptr ? *whole_ : piece_; }

    owner& owner_;
    const std::shared_ptr<body_content> content_;
    const intrusive_ptr<executor_link> link_;
    const bool may_repeat_;
    request_body::producer next_;
    future<void> asked_;
    std::string piece_;
    const std::string* whole_ = nullptr; // in place of the piece, where all is in memory
    std::size_t taken_ = 0;              // of the piece
    std::uint64_t given_ = 0, came_ = 0;
    unsigned round_ = 0; // of answers to older questions nothing is taken
    bool begun_ = false, asking_ = false, paused_ = false, ended_ = false, stopped_ = false;
};

} // namespace curlicue::detail
