// SPDX-License-Identifier: MIT
#pragma once

#include "ongoing.hpp"
#include <curlicue/detail/recycling_allocator.hpp>
#include <curlicue/executor.hpp>
#include <curlicue/fetch.hpp>
#include <curlicue/fetch_error.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace curlicue::detail {

class client_core;

/// What the steps of a client know of one request, from its call to the last byte of its body.
/// @threading the loop's, but for what never changes once the caller has a response
struct fetch_call {
    using clock = executor::clock;

    std::shared_ptr<client_core> client;
    ongoing::request going_on; ///< for its client
    std::uint64_t id = 0;
    clock::time_point deadline = clock::time_point::max(); ///< that of `time_limits::total`
    time_limits limits;                                    ///< those of the client filled in
    unsigned attempts = 1;
    std::uint64_t resumed_at = 0; ///< the offset that `to_file` has asked for
    bool redirected = false;
    bool over = false;                      ///< and its end has been told
    fetch_phase phase = fetch_phase::queue; ///< how far it came
    std::chrono::microseconds queued{0};    ///< of the next hop
    /// Those that have a head, or have failed.
    std::vector<hop_timings, recycling_allocator<hop_timings>> hops;
};

/// For a request that is nobody's alone: it ends neither with the time of who has asked for it, nor
/// with him. Null for null.
inline std::shared_ptr<fetch_call> ownerless(const std::shared_ptr<fetch_call>& known) {
    if (!known)
        return nullptr;
    auto shared = std::make_shared<fetch_call>();
    shared->client = known->client;
    shared->id = known->id;
    shared->limits = known->limits;
    shared->attempts = known->attempts;
    shared->hops = known->hops;
    return shared;
}

/// For a request of whom no client knows, there are none but the default ones.
inline unsigned attempts_of(const std::shared_ptr<fetch_call>& known) noexcept {
    return known ? known->attempts : 1;
}

/// A `fetch_error` of these; where there is no memory for it, std::bad_alloc.
template <class... Arguments> std::exception_ptr fetch_failure(Arguments&&... of) noexcept {
    try {
        return std::make_exception_ptr(fetch_error(std::forward<Arguments>(of)...));
    } catch (...) {
        return std::current_exception();
    }
}

} // namespace curlicue::detail
