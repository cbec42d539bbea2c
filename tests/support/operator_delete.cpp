// SPDX-License-Identifier: MIT
// What goes with an operator new(size) of a test's own, which takes its memory from malloc.
#include <cstddef>
#include <cstdlib>
#include <new>

// The standard's comes to operator new(size). A sanitizer's does not, and has memory that is not
// for the ones below; std::stable_sort uses it, and so does googletest 1.16.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
