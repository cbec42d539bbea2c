// SPDX-License-Identifier: MIT
#include <curlicue/detail/recycled.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace curlicue::detail {
namespace {

// The address sanitizer is to see who comes too late.
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool keeps = false;
#else
constexpr bool keeps = true;
#endif

constexpr std::size_t size_step = 64;
constexpr std::size_t largest = 2048;
constexpr std::size_t most_blocks = 1024;                  // of each size,
constexpr std::size_t most_bytes = std::size_t{256} << 10; // which come to no more than this

struct block {
    block* next;
};

struct size_class {
    block* first;
    std::size_t count;
};

// Needs no constructor and no destructor: states may be freed before the one and after the other.
struct free_blocks {
    std::array<size_class, largest / size_step> classes;
    bool registered;
    bool ended;

    bool keep(void* memory, std::size_t size) noexcept;
    void give_back() noexcept;
};
thread_local free_blocks kept_blocks{};

// Gives back what a thread has kept, when it ends.
class end_of_thread {
public:
    end_of_thread() = default;
    end_of_thread(const end_of_thread&) = delete;
    end_of_thread& operator=(const end_of_thread&) = delete;
    ~end_of_thread() { kept_blocks.give_back(); }
};

constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / size_step; }

bool free_blocks::keep(void* memory, std::size_t size) noexcept {
    auto& same = classes[class_of(size)];
    const auto whole = (class_of(size) + 1) * size_step;
    if (ended || same.count == std::min(most_blocks, most_bytes / whole))
        return false;
    if (!std::exchange(registered, true))
        static thread_local const end_of_thread guard;
    ++same.count;
    same.first = new (memory) block{same.first};
    return true;
}

void free_blocks::give_back() noexcept {
    ended = true;
    for (auto& each : classes)
        while (each.first != nullptr)
            ::operator delete(std::exchange(each.first, each.first->next));
}

} // namespace

// NOLINTNEXTLINE(misc-new-delete-overloads): the sized form is its match
void* recycled::operator new(std::size_t size) {
    if (!keeps || size > largest)
        return ::operator new(size);
    auto& same = kept_blocks.classes[class_of(size)];
    if (same.first == nullptr)
        return ::operator new((class_of(size) + 1) * size_step);
    --same.count;
    return std::exchange(same.first, same.first->next);
}

void recycled::operator delete(void* memory, std::size_t size) noexcept {
    if (!keeps || size > largest || !kept_blocks.keep(memory, size))
        ::operator delete(memory);
}

} // namespace curlicue::detail
