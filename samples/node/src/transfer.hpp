// SPDX-License-Identifier: MIT
#pragma once

#include "body.hpp"
#include "class.hpp"
#include "deferred.hpp"
#include "guarded_easy.hpp"
#include "multi.hpp"
#include "upload.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace curlicue::node {

/// One request of `fetch` and its response. What libcurl brings is kept here until its turn is
/// over; then JavaScript gets all of it at once. What is more than `high_water` stays with the
/// server until somebody reads.
class transfer final : public std::enable_shared_from_this<transfer>,
                       private guarded_easy::callbacks {
public:
    static napi_value define(napi_env env);

    /// (multi, what guarded_easy::prepare takes …, high-water mark in bytes)
    explicit transfer(const arguments& given);
    /// Nobody can read the response any more: it need not come.
    void collected() noexcept { running_.cancel(); }
    environment& where() const noexcept { return where_; }

    static constexpr std::uint64_t tag = 0x7472616e73666572;

private:
    napi_value curl(const arguments& given);
    napi_value start(const arguments& given);
    napi_value read(const arguments& given);
    napi_value read_all(const arguments& given);
    napi_value write(const arguments& given);
    napi_value end(const arguments& given);
    napi_value drained(const arguments& given);
    napi_value cancel(const arguments& given);

    std::size_t header(std::string_view line) override;
    std::size_t receive(std::span<const char> data) override;
    std::size_t send(std::span<char> buffer) override;

    void tell_soon();
    void tell();
    void tell_failure();
    void tell_end();
    void finished(result<easy>&& outcome);
    void give_up(napi_value error);
    void expect_body(std::size_t most);
    void check_size(std::size_t size) const;
    bool over() const noexcept { return !easy_; }
    bool readable() const noexcept;
    napi_value taken();
    void resume(bool stopped);

    environment& where_;
    std::shared_ptr<multi> multi_;
    std::unique_ptr<guarded_easy> easy_; // null when it is over
    shared_future<easy> running_;
    bool tweaked_ = false; // any option may be set

    std::string head_; // of the last response, with its status line
    bool head_complete_ = false;
    body body_;
    std::size_t high_water_;
    enum class form { chunks, bytes, text } form_ = form::chunks;
    std::size_t most_ = 0; // bytes, of a body that is read as a whole
    bool paused_ = false;
    upload upload_;
    bool telling_ = false;
    std::optional<js_exception> failure_;

    std::optional<reference> told_; // of the end; a function that does not know us
    deferred head_wanted_;
    deferred body_wanted_;
    deferred drain_wanted_;
};

} // namespace curlicue::node
