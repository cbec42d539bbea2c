// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include <node_api.h>

namespace curlicue::node {

/// Bytes that have come and nobody has taken: one block, which JavaScript gets without a copy.
class body {
public:
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view text() const noexcept { return {data_.get(), size_}; }

    /// @throws std::bad_alloc
    void reserve(std::size_t capacity);
    /// @throws std::bad_alloc
    void append(std::span<const char> bytes);
    /// All there is, as a Uint8Array. Empty afterwards.
    napi_value take(napi_env env);
    void clear() noexcept { *this = body(); }

private:
    struct freed {
        void operator()(char* block) const noexcept { std::free(block); }
    };

    std::unique_ptr<char, freed> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace curlicue::node
