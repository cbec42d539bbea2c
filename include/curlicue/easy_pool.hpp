// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/easy.hpp>

#include <cstddef>
#include <string_view>

namespace curlicue {

namespace detail {
class easy_store;
}

/// Easies for many short transfers. One that nobody holds any more comes back and is given out
/// again, which is cheaper than a new one. What was allocated for it is used again; its `CURL*` is
/// not, for that would remember cookies, TLS sessions, connections and more of its former owner.
/// One that was closed does not come back.
/// @threading thread-safe; an easy comes back on the thread that drops its last copy
class CURLICUE_EXPORT easy_pool {
public:
    /// @param most how many may wait here; what comes back beyond that is cleaned up
    explicit easy_pool(std::size_t most = 256);
    easy_pool(const easy_pool&) = delete;
    easy_pool& operator=(const easy_pool&) = delete;
    /// Those that are out are cleaned up when they are dropped.
    ~easy_pool();

    /// As a new one. @throws std::bad_alloc
    easy take();
    /// @param url CURLOPT_URL
    easy take(std::string_view url);
    /// How many wait here.
    std::size_t size() const noexcept;

private:
    const detail::intrusive_ptr<detail::easy_store> store_;
};

} // namespace curlicue
