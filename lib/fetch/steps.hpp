// SPDX-License-Identifier: MIT
#pragma once

#include "call.hpp"
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/transport.hpp>

#include <memory>

namespace curlicue::detail {

class ongoing;
class request_queue;

/// Starts `body` here and now where the executor runs, else from its queue.
template <class T> future<T> spawn_here(const intrusive_ptr<executor_link>& link, task<T> body) {
    auto running = make_intrusive<task_state<T>>(link, std::move(body));
    if (link->may_run_here())
        running->start_here();
    else
        running->start();
    return future<T>(std::move(running));
}

/// A step of a client: a transport that goes on with the next.
class step : public transport, public std::enable_shared_from_this<step> {
public:
    explicit step(std::shared_ptr<transport> next) noexcept : next_(std::move(next)) {}
    curlicue::executor& executor() override { return next_->executor(); }

protected:
    transport& next() const noexcept { return *next_; }
    const intrusive_ptr<executor_link>& link() { return executor_link::of(executor()); }
    template <class Self> static std::shared_ptr<Self> kept(Self& self) {
        return std::static_pointer_cast<Self>(self.shared_from_this());
    }

private:
    const std::shared_ptr<transport> next_;
};

std::shared_ptr<transport> layer_step(std::shared_ptr<transport> next, layer call);
std::shared_ptr<transport> redirect_step(std::shared_ptr<transport> next);
/// @param options with the policy of requests that have none
std::shared_ptr<transport> retry_step(std::shared_ptr<transport> next,
                                      std::shared_ptr<const client_options> options);
std::shared_ptr<transport> limit_step(std::shared_ptr<transport> next,
                                      std::shared_ptr<request_queue> queue);
/// @param counts whether `next` does not count what it does itself
std::shared_ptr<transport> arrival_step(std::shared_ptr<transport> next,
                                        std::shared_ptr<ongoing> counted, bool counts);

} // namespace curlicue::detail
