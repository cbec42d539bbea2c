// SPDX-License-Identifier: MIT
#pragma once

#include "easy_core.hpp"
#include <curlicue/detail/process_mark.hpp>
#include <curlicue/detail/small_mutex.hpp>

#include <cstddef>
#include <mutex>
#include <vector>

namespace curlicue::detail {

/// What an `easy_pool` and the easies that it has given out share.
/// @threading thread-safe
class easy_store final : public ref_counted {
public:
    explicit easy_store(std::size_t most) noexcept : most_(most) {}

    intrusive_ptr<easy_core> take();
    /// The last reference to it is gone; it is kept, or cleaned up.
    void take_back(easy_core& core) noexcept;
    /// Nothing comes back from now on.
    void close() noexcept;
    std::size_t size() const noexcept;
    bool has_room() const noexcept;

private:
    const process_mark process_; // the connections of a child's are its parent's
    mutable small_mutex mutex_;
    std::size_t most_;
    std::vector<intrusive_ptr<easy_core>> idle_;
};

} // namespace curlicue::detail
