// SPDX-License-Identifier: MIT
#include "support/faults/scarce_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include <curl/curl.h>
#include <dlfcn.h>
#include <uv.h>

// There, if this is built with a sanitizer that finds leaks.
extern "C" void __lsan_ignore_object(const void* object) __attribute__((weak));

namespace curlicue::test {
namespace {

std::atomic<bool> scarce{false};
std::atomic<bool> lasts{false};
std::atomic<bool> failed{false};
std::atomic<std::size_t> count{0};
std::atomic<std::size_t> failing{0};
thread_local bool plenty = false;

bool may_have() noexcept {
    if (plenty || !scarce.load(std::memory_order_relaxed))
        return true;
    const auto number = ++count;
    const auto site = failing.load(std::memory_order_relaxed);
    if (number < site || (number > site && !lasts.load(std::memory_order_relaxed)))
        return true;
    failed = true;
    return false;
}

bool is_of_nghttp2(const void* caller) noexcept {
    Dl_info place{};
    return ::dladdr(caller, &place) != 0 && std::strstr(place.dli_fname, "libnghttp2") != nullptr;
}

// libnghttp2 1.64 loses an object of its own where memory is gone for good.
void* get(std::size_t size) {
    void* const memory = may_have() ? std::malloc(size) : nullptr;
    if (&__lsan_ignore_object != nullptr && memory != nullptr && lasts &&
        is_of_nghttp2(__builtin_return_address(0)))
        __lsan_ignore_object(memory);
    return memory;
}
void* get_again(void* memory, std::size_t size) {
    return may_have() ? std::realloc(memory, size) : nullptr;
}
void* get_zeros(std::size_t number, std::size_t size) {
    return may_have() ? std::calloc(number, size) : nullptr;
}
void give_back(void* memory) { std::free(memory); }
char* get_copy(const char* text) { return may_have() ? ::strdup(text) : nullptr; }

} // namespace

scarce_memory::scarce_memory(std::size_t site, lasting how) noexcept {
    failing = site;
    lasts = how == lasting::from_there_on;
    count = 0;
    failed = false;
    scarce = true;
}

scarce_memory::~scarce_memory() { scarce = false; }

bool scarce_memory::felt() noexcept { return failed; }

void scarce_memory::rule_libraries() {
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, &get, &give_back, &get_again, &get_copy,
                             &get_zeros) != CURLE_OK ||
        uv_replace_allocator(&get, &get_again, &get_zeros, &give_back) != 0)
        throw std::runtime_error("the libraries keep their own allocators");
}

plenty_of_memory::plenty_of_memory() noexcept : before_(std::exchange(plenty, true)) {}
plenty_of_memory::~plenty_of_memory() { plenty = before_; }

} // namespace curlicue::test

void* operator new(std::size_t size) {
    if (void* const memory = curlicue::test::get(size != 0 ? size : 1))
        return memory;
    throw std::bad_alloc();
}
