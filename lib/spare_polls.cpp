// SPDX-License-Identifier: MIT
#include "spare_polls.hpp"

#include <algorithm>

namespace curlicue::detail {
namespace {

// In one turn of the loop; beyond that libuv makes new handles.
constexpr std::size_t most_spares = 64;

// Another thread may open the number before a spare one is closed. That epoll does not know it
// there is all that comes of it, but to the thread sanitizer it is a race. And on Windows a poll
// handle belongs to one SOCKET.
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(_WIN32) || defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
constexpr bool keeps_spares = false;
#else
constexpr bool keeps_spares = true;
#endif

} // namespace

spare_polls::spare_polls(uv_loop_t* loop, const intrusive_ptr<ref_counted>& keep) {
    spares_.reserve(most_spares);
    int status = 0;
    before_poll_ = make_uv<uv_prepare_t>(keep, this, status, [loop](uv_prepare_t* prepare) {
        return uv_prepare_init(loop, prepare);
    });
    check_uv(status, "uv_prepare_init");
    uv_unref(uv_closer::as_handle(before_poll_.get()));
}

void spare_polls::keep(curl_socket_t socket, uv_owned<uv_poll_t> poll) noexcept {
    if (!keeps_spares || !poll || spares_.size() == most_spares)
        return;
    spares_.emplace_back(socket, std::move(poll));
    uv_prepare_start(before_poll_.get(), [](uv_prepare_t* prepare) {
        uv_prepare_stop(prepare);
        owner_of<spare_polls>(prepare).clear();
    });
}

uv_owned<uv_poll_t> spare_polls::take(curl_socket_t socket) noexcept {
    const auto found = std::ranges::find(spares_, socket, [](auto& each) { return each.first; });
    if (found == spares_.end())
        return nullptr;
    auto poll = std::move(found->second);
    *found = std::move(spares_.back());
    spares_.pop_back();
    return poll;
}

} // namespace curlicue::detail
