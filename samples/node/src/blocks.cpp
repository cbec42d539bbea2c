// SPDX-License-Identifier: MIT
#include "blocks.hpp"

#include <bit>
#include <cstring>
#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace curlicue::node {
namespace {

constexpr std::size_t smallest = 65536;
constexpr std::size_t worth_trimming = 8388608;

// What is freed between others stays with malloc; with glibc 2.41 that is most of it.
void return_to_system() noexcept {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

std::size_t place_of(std::size_t capacity) noexcept {
    return static_cast<std::size_t>(std::countr_zero(capacity) - std::countr_zero(smallest));
}

} // namespace

bool blocks::keeps(std::size_t capacity) const noexcept {
    return std::has_single_bit(capacity) && capacity >= smallest &&
           place_of(capacity) < kept_.size();
}

std::size_t blocks::rounded(std::size_t capacity) const noexcept {
    const auto size = std::bit_ceil(capacity);
    return keeps(size) ? size : capacity;
}

blocks::memory blocks::take(std::size_t capacity) noexcept {
    resting_ = false;
    if (!keeps(capacity) || kept_[place_of(capacity)].empty())
        return nullptr;
    auto& equals = kept_[place_of(capacity)];
    auto taken = std::move(equals.back());
    equals.pop_back();
    bytes_ -= capacity;
    return taken;
}

void blocks::give_back(memory data, std::size_t capacity) noexcept {
    if (!data)
        return;
    if (resting_)
        return free_late(std::move(data), capacity);
    if (!keeps(capacity) || bytes_ + capacity > most)
        return;
    try {
        kept_[place_of(capacity)].push_back(std::move(data));
        bytes_ += capacity;
    } catch (const std::bad_alloc&) {
        // It is freed.
    }
}

void blocks::rest() noexcept {
    resting_ = true;
    for (auto& equals : kept_)
        equals.clear();
    if (std::exchange(bytes_, 0) != 0)
        return_to_system();
}

// The collector brings it when nobody needs any.
void blocks::free_late(memory data, std::size_t capacity) noexcept {
    data.reset();
    late_ += capacity;
    if (late_ >= worth_trimming) {
        late_ = 0;
        return_to_system();
    }
}

void block::grow(std::size_t least) {
    if (least <= capacity_)
        return;
    const auto capacity = home_->rounded(least);
    auto larger = home_->take(capacity);
    if (!larger)
        return reallocate(capacity);
    if (data_)
        std::memcpy(larger.get(), data(), capacity_);
    clear();
    data_ = std::move(larger);
    capacity_ = capacity;
}

// What is large moves by its page tables (mremap), so that little is copied.
void block::reallocate(std::size_t capacity) {
    auto* const moved = static_cast<char*>(std::realloc(data_.get(), capacity));
    if (moved == nullptr)
        throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(moved);
    capacity_ = capacity;
}

} // namespace curlicue::node
