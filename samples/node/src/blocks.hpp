// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace curlicue::node {

/// Memory for bodies, used again: a page that is new costs more than what is written to it, and the
/// collector brings back what JavaScript had in bursts, of which malloc keeps little.
/// @threading the environment's own
class blocks {
public:
    struct freed {
        void operator()(char* data) const noexcept { std::free(data); }
    };
    using memory = std::unique_ptr<char, freed>;

    /// Bytes that are kept at the most.
    static constexpr std::size_t most = 134217728;

    /// What a block of so many bytes should have: more may be of use to a later one.
    std::size_t rounded(std::size_t capacity) const noexcept;
    /// One of just that capacity, or null.
    memory take(std::size_t capacity) noexcept;
    void give_back(memory data, std::size_t capacity) noexcept;
    /// For now nobody needs any: none is kept, until the next is taken.
    void rest() noexcept;

private:
    bool keeps(std::size_t capacity) const noexcept;
    void free_late(memory data, std::size_t capacity) noexcept;

    // From 64 KiB on, each twice the size before: what is smaller malloc keeps, and what is larger
    // is seldom needed again.
    std::array<std::vector<memory>, 8> kept_;
    std::size_t bytes_ = 0;
    std::size_t late_ = 0; // bytes that came back while resting
    bool resting_ = true;
};

/// One piece of it, which goes back at the end.
class block {
public:
    explicit block(std::shared_ptr<blocks> home) noexcept : home_(std::move(home)) {}
    /// Leaves an empty one.
    block(block&& other) noexcept
        : home_(other.home_), data_(std::move(other.data_)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    block(const block&) = delete;
    block& operator=(const block&) = delete;
    block& operator=(block&&) = delete;
    ~block() { clear(); }

    char* data() const noexcept { return data_.get(); }
    std::size_t capacity() const noexcept { return capacity_; }
    /// To so many bytes at least, with what is in it. @throws std::bad_alloc
    void grow(std::size_t least);
    void clear() noexcept { home_->give_back(std::move(data_), std::exchange(capacity_, 0)); }

private:
    void reallocate(std::size_t capacity);

    std::shared_ptr<blocks> home_;
    blocks::memory data_;
    std::size_t capacity_ = 0;
};

} // namespace curlicue::node
