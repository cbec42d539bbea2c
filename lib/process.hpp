// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/process_mark.hpp>

#include <mutex>

namespace curlicue::detail {

/// The mutex of something that there is once, and to the end. No other thread has it while the
/// process forks, or the child could never take it.
class fork_mutex : public std::mutex {
public:
    fork_mutex() noexcept;

private:
    friend struct fork_handlers;
    fork_mutex* next_;
};

} // namespace curlicue::detail
