// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

namespace curlicue::fuzz {

/// What a fuzzer was given, read from the front: so an input that is cut off begins like the whole.
/// Used up, it gives zeros.
class bytes {
public:
    bytes(const std::uint8_t* data, std::size_t size) noexcept : rest_(data, size) {}

    bool empty() const noexcept { return rest_.empty(); }
    std::uint8_t next() noexcept {
        if (rest_.empty())
            return 0;
        const auto first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }
    bool flip() noexcept { return (next() & 1) != 0; }
    /// @param limit not 0
    std::size_t below(std::size_t limit) noexcept { return next() % limit; }
    template <class Choices> auto& one_of(Choices&& choices) noexcept {
        return *(std::begin(choices) + below(std::size(choices)));
    }
    std::uint32_t number() noexcept {
        std::uint32_t value = 0;
        for (int i = 0; i != 4; ++i)
            value = value << 8 | next();
        return value;
    }
    /// Any bytes, after one that tells how many.
    std::string text() {
        const std::size_t size = next();
        const auto part = rest_.first(size < rest_.size() ? size : rest_.size());
        rest_ = rest_.subspan(part.size());
        return {part.begin(), part.end()};
    }

private:
    std::span<const std::uint8_t> rest_;
};

/// Ends the run: the fuzzer keeps the input.
inline void require(bool truth) noexcept {
    if (!truth)
        std::abort();
}

} // namespace curlicue::fuzz
