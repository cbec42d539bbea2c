// SPDX-License-Identifier: MIT
#pragma once

#include "c_interface_gate.hpp"
#include "c_interface_head.hpp"
#include "fetch/repetition.hpp"
#include <curlicue/curlicue.h>
#include <curlicue/detail/state.hpp>
#include <curlicue/future.hpp>
#include <curlicue/request.hpp>

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

namespace curlicue {
class async_multi;
class client;
} // namespace curlicue

/// A fetch for C: the callbacks of its user, and who is asked to call it off.
/// @threading thread-safe where it says so, all else is the loop's
struct curlicue_call final : curlicue::detail::ref_counted {
public:
    using link = curlicue::detail::intrusive_ptr<curlicue::detail::executor_link>;
    curlicue_call(const curlicue_request& asked, link where);

    /// Fetches `what`, with callbacks for what the user has some for.
    /// @param by null: the default client of `multi`
    /// @throws what `client::fetch` throws, and std::bad_alloc: then no callback comes.
    void start(curlicue::request what, const curlicue::client* by, curlicue::async_multi& multi);

    // On any thread, each gives a status.
    int cancel() noexcept;
    int pause() noexcept;
    int resume() noexcept;
    int more() noexcept;

private:
    using self = curlicue::detail::intrusive_ptr<curlicue_call>;
    template <class T> using future = curlicue::future<T>;

    void serve(curlicue::request& what);
    void require_going_on() const;
    void tweak(curlicue::easy& handle);
    bool allows(const sockaddr& address);
    future<std::optional<std::string>> ask_for_more();
    future<void> has_head(curlicue::response&& answer);
    future<std::optional<curlicue::detail::done>> has_part(std::string&& part);
    void has_ended(curlicue::result<void>&& outcome) noexcept;
    bool is_over() const noexcept;

    // Of what it was asked for, what is valid still: the callbacks.
    const curlicue_request user_;
    const link link_;
    curlicue::detail::gate resumed_, has_more_;
    std::optional<curlicue::detail::head_for_c> head_;
    std::string whole_;
    unsigned attempts_ = 0;

    mutable std::mutex mutex_; // of what follows
    curlicue::detail::intrusive_ptr<curlicue::detail::state<void>> running_;
    bool cancelled_ = false, over_ = false;
};
