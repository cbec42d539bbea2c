// SPDX-License-Identifier: MIT
#pragma once

#include "blocks.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <node_api.h>

namespace curlicue::node {

/// Bytes that have come and nobody has taken: one block, which JavaScript gets without a copy.
class body {
public:
    explicit body(std::shared_ptr<blocks> memory) noexcept : block_(std::move(memory)) {}

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    /// @throws std::bad_alloc
    void reserve(std::size_t capacity) { block_.grow(capacity); }
    /// @throws std::bad_alloc
    void append(std::string_view bytes);
    /// All there is, as a Uint8Array. Empty afterwards.
    /// @throws coded_error if it is more than an array may have
    napi_value take(napi_env env);
    /// The same, as a string, of UTF-8 with or without a byte order mark.
    /// @throws coded_error if it is more than a string may have
    napi_value take_text(napi_env env);

private:
    block block_;
    std::size_t size_ = 0;
};

/// A piece of a body, as a Uint8Array; undefined for an empty one.
napi_value chunk_of(napi_env env, std::string&& piece);

} // namespace curlicue::node
