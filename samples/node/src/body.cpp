// SPDX-License-Identifier: MIT
#include "body.hpp"

#include "value.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace curlicue::node {
namespace {

// Below, a copy is cheaper than what the collector has to do for memory of somebody else's.
constexpr std::size_t worth_lending = 4096;

} // namespace

void body::reserve(std::size_t capacity) {
    if (capacity <= capacity_)
        return;
    // Large blocks move by their page tables (mremap), so growing copies little.
    auto* const block = static_cast<char*>(std::realloc(data_.get(), capacity));
    if (block == nullptr)
        throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(block);
    capacity_ = capacity;
}

void body::append(std::span<const char> bytes) {
    if (size_ + bytes.size() > capacity_)
        reserve(std::max(size_ + bytes.size(), 2 * capacity_));
    if (!bytes.empty())
        std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

napi_value body::take(napi_env env) {
    const auto size = size_;
    if (size < worth_lending) {
        const auto copy = copy_of(env, {data_.get(), size});
        size_ = 0; // the block is used again
        return copy;
    }
    napi_value buffer = nullptr;
    const auto status = napi_create_external_arraybuffer(
        env, data_.get(), size, [](napi_env, void* block, void*) { std::free(block); }, nullptr,
        &buffer);
    if (status == napi_no_external_buffers_allowed) { // as in Electron
        const auto copy = copy_of(env, {data_.get(), size});
        clear();
        return copy;
    }
    check(env, status);
    static_cast<void>(data_.release());
    clear();
    return uint8_array(env, buffer, size);
}

} // namespace curlicue::node
