// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>

struct uv_loop_s;

namespace curlicue {

/// Makes `loop` this thread's current loop until the end of the scope: an `async_multi` that was
/// made without one binds to it at its first `add_handle`. Scopes nest. Inside the callbacks of an
/// `async_multi` its loop is the current one.
/// @threading one thread; scopes end in the reverse order of their beginning
class CURLICUE_EXPORT loop_scope {
public:
    /// @throws usage_error{errc::null_handle}
    explicit loop_scope(uv_loop_s* loop);
    loop_scope(const loop_scope&) = delete;
    loop_scope& operator=(const loop_scope&) = delete;
    ~loop_scope();

    /// This thread's current loop, or null.
    static uv_loop_s* current() noexcept;

private:
    uv_loop_s* const previous_;
};

} // namespace curlicue
