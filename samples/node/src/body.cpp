// SPDX-License-Identifier: MIT
#include "body.hpp"

#include "environment.hpp"
#include "value.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace curlicue::node {
namespace {

// Below, a copy is cheaper than what the collector has to do for memory of somebody else's.
constexpr std::size_t worth_lending = 4096;

// Node knows how large its buffers are, and collects when there are 64 MiB more. That counted once
// more lets it begin at half of that.
void weigh(napi_env env, std::int64_t change) {
    std::int64_t all = 0;
    napi_adjust_external_memory(env, change, &all);
}

/// What an owner has, with no copy: that goes when the array does.
template <class Owner>
napi_value lend(napi_env env, Owner&& owner, std::size_t size, std::size_t capacity) {
    struct lent {
        Owner owner;
        std::size_t capacity;
    };
    auto loan = std::make_unique<lent>(lent{std::move(owner), capacity});
    if (size > environment::of(env).most().bytes)
        throw coded_error("ERR_BUFFER_TOO_LARGE", "an array cannot have " + std::to_string(size) +
                                                      " bytes; read the body as a stream");
    napi_value buffer = nullptr;
    const auto status = napi_create_external_arraybuffer(
        env, loan->owner.data(), size,
        [](napi_env where, void*, void* hint) {
            const std::unique_ptr<lent> back(static_cast<lent*>(hint));
            weigh(where, -static_cast<std::int64_t>(back->capacity));
        },
        loan.get(), &buffer);
    if (status == napi_no_external_buffers_allowed) // as in Electron
        return copy_of(env, {loan->owner.data(), size});
    check(env, status);
    weigh(env, static_cast<std::int64_t>(capacity));
    static_cast<void>(loan.release());
    return uint8_array(env, buffer, size);
}

} // namespace

void body::append(std::string_view bytes) {
    if (bytes.empty())
        return;
    if (size_ + bytes.size() > block_.capacity())
        reserve(std::max(size_ + bytes.size(), 2 * block_.capacity()));
    std::memcpy(block_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

napi_value body::take_text(napi_env env) {
    const auto size = std::exchange(size_, 0);
    const block taken(std::move(block_));
    std::string_view text(taken.data(), size);
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    return string(env, text);
}

napi_value body::take(napi_env env) {
    const auto size = std::exchange(size_, 0);
    if (size < worth_lending) // the block is used again
        return copy_of(env, {block_.data(), size});
    const auto capacity = block_.capacity();
    return lend(env, std::move(block_), size, capacity);
}

napi_value chunk_of(napi_env env, std::string&& piece) {
    if (piece.empty())
        return undefined(env);
    if (piece.size() < worth_lending)
        return copy_of(env, piece);
    const auto size = piece.size(), capacity = piece.capacity();
    return lend(env, std::move(piece), size, capacity);
}

} // namespace curlicue::node
