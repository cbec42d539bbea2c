// SPDX-License-Identifier: MIT
#include "active_socket.hpp"

#include "event_state.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace curlicue::detail {

class active_socket::wait_state final : public event_state {
public:
    wait_state(active_socket& socket, ready_for what, const intrusive_ptr<executor_link>& home)
        : event_state(home), socket_(socket), what_(what), place_(*this) {}

    /// It is off its list.
    void over(result<void>&& outcome) noexcept {
        socket_.owner_.waits_for_socket(false);
        end(std::move(outcome));
    }

private:
    ~wait_state() override = default;

    void begin() override {
        socket_.waiting_for(what_).push_back(place_);
        if (const int status = socket_.arm(); status < 0) {
            place_.unlink();
            check_uv(status, call_for(what_));
        }
        socket_.owner_.waits_for_socket(true);
    }
    void stop() noexcept override {
        place_.unlink();
        socket_.arm();
        socket_.owner_.waits_for_socket(false);
    }

    active_socket& socket_; // there while this is begun
    const ready_for what_;
    place place_;
};

active_socket::descriptor::descriptor(curl_socket_t socket)
    : number(::fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
    if (number < 0)
        throw std::system_error(errno, std::generic_category(), "a watch of an easy's socket");
}

active_socket::descriptor::~descriptor() { ::close(number); }

active_socket::active_socket(uv_loop_t* loop, owner& told, curl_socket_t socket,
                             intrusive_ptr<ref_counted> keep)
    : owner_(told), descriptor_(socket) {
    int status = 0;
    poll_ = make_uv<uv_poll_t>(std::move(keep), this, status, [&](uv_poll_t* poll) {
        return uv_poll_init(loop, poll, descriptor_.number);
    });
    check_uv(status, "a watch of an easy's socket");
    uv_unref(uv_closer::as_handle(poll_.get())); // the engine holds the loop
}

active_socket::~active_socket() {
    for (auto* const list : {&readers_, &writers_})
        while (auto* const each = list->pop_front())
            each->owner.over(failure(errc::cancelled));
}

future<void> active_socket::wait_for(ready_for what, const intrusive_ptr<executor_link>& home) {
    const auto waiting = make_intrusive<wait_state>(*this, what, home);
    waiting->start(call_for(what));
    return future<void>(waiting);
}

int active_socket::wanted() const noexcept {
    return (readers_.empty() ? 0 : UV_READABLE) | (writers_.empty() ? 0 : UV_WRITABLE);
}

int active_socket::arm() noexcept {
    const int events = wanted();
    if (events == armed_)
        return 0;
    const int status = events == 0 ? uv_poll_stop(poll_.get())
                                   : uv_poll_start(poll_.get(), events, &active_socket::polled);
    armed_ = status == 0 ? events : 0;
    return status;
}

// After an error libuv has stopped the poll (uv__poll_io): what it is recv or send tell.
void active_socket::polled(uv_poll_t* poll, int status, int events) noexcept {
    auto& self = owner_of<active_socket>(poll);
    if (status < 0)
        self.armed_ = 0;
    self.owner_.socket_event(self, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

void active_socket::tell(int events) noexcept {
    const auto all = [](intrusive_list<place>& waiting) {
        while (auto* const each = waiting.pop_front())
            each->owner.over({});
    };
    if ((events & UV_READABLE) != 0)
        all(readers_);
    if ((events & UV_WRITABLE) != 0)
        all(writers_);
    arm();
}

} // namespace curlicue::detail
