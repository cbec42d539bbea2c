// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/executor.hpp>
#include <curlicue/future.hpp>

namespace curlicue::test {

/// How often the calling thread has used `operator new`. Links with a program that replaces it.
int allocations() noexcept;

/// The address sanitizer is to see who uses memory that was freed.
inline bool uses_memory_again(executor& on) {
    int allocated = 0;
    for (int i = 0; i != 2; ++i) {
        const int before = allocations();
        promise<int> source(on);
        auto sink = source.get_future();
        source.set_value(1);
        sink.get();
        allocated = allocations() - before;
    }
    return allocated == 0;
}

} // namespace curlicue::test
