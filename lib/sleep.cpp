// SPDX-License-Identifier: MIT
#include "event_state.hpp"
#include <curlicue/sleep.hpp>

#include <algorithm>

namespace curlicue {
namespace {

class sleep_state final : public detail::event_state, private timed_work {
public:
    sleep_state(executor& where, executor::clock::time_point deadline)
        : event_state(detail::executor_link::of(where)), deadline_(deadline) {}

private:
    ~sleep_state() override = default;

    void begin() override { link()->start_timer(*this, deadline_); }
    void stop() noexcept override { link()->stop_timer(*this); }
    void expired() noexcept override { end({}); }

    const executor::clock::time_point deadline_;
};

} // namespace

future<void> sleep_until(executor& where, executor::clock::time_point time) {
    // What is further back than clocks can subtract has passed just as well.
    const auto sleep = detail::make_intrusive<sleep_state>(where, std::max(time, where.now()));
    sleep->start("sleep_until");
    return future<void>(sleep);
}

future<void> sleep_for(executor& where, std::chrono::milliseconds time) {
    return sleep_until(where, detail::later(where.now(), time));
}

} // namespace curlicue
