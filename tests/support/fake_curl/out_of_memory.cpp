// SPDX-License-Identifier: MIT
#include "support/fake_curl/out_of_memory.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace curlicue::test {
namespace {

thread_local bool armed = false;
thread_local bool failed = false;
thread_local bool lasts = false;
thread_local std::size_t left = 0;

} // namespace

out_of_memory::out_of_memory(std::size_t skip, lasting how) noexcept {
    left = skip;
    lasts = how == lasting::from_there_on;
    failed = false;
    armed = true;
}

out_of_memory::~out_of_memory() { armed = false; }

bool out_of_memory::happened() noexcept { return failed; }

enough_memory::enough_memory() noexcept : armed_(std::exchange(armed, false)) {}
enough_memory::~enough_memory() { armed = armed_; }

} // namespace curlicue::test

void* operator new(std::size_t size) {
    using namespace curlicue::test;
    if (armed && (failed ? lasts : left-- == 0)) {
        failed = true;
        throw std::bad_alloc();
    }
    if (void* const block = std::malloc(size != 0 ? size : 1))
        return block;
    throw std::bad_alloc();
}
