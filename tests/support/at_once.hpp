// SPDX-License-Identifier: MIT
#pragma once

#include <barrier>
#include <thread>
#include <vector>

namespace curlicue::test {

/// `rounds` times: `before`, then all `actions` at the same time, each on a thread of its own, then
/// `after`.
template <class Before, class After, class... Actions>
void at_once(int rounds, Before before, After after, Actions... actions) {
    std::barrier gate(sizeof...(actions) + 1);
    std::vector<std::thread> threads;
    threads.reserve(sizeof...(actions));
    (threads.emplace_back([&gate, &actions, rounds] {
        for (int i = 0; i != rounds; ++i) {
            gate.arrive_and_wait();
            actions();
            gate.arrive_and_wait();
        }
    }),
     ...);
    for (int i = 0; i != rounds; ++i) {
        before();
        gate.arrive_and_wait();
        gate.arrive_and_wait();
        after();
    }
    for (auto& each : threads)
        each.join();
}

} // namespace curlicue::test
