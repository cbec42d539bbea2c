// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/intrusive_ptr.hpp>

#include <memory>
#include <utility>

#include <uv.h>

namespace curlicue::detail {

/// A uv handle together with what must outlive it: libuv reads the handle until its close callback
/// has run, however soon its owner is gone.
///
/// Whose it is stands beside it, and `data` stays null: hosts that walk their loop take what is in
/// it for an object of theirs (uvloop, gevent and luv do when they end).
template <class Handle> struct uv_block : Handle {
    uv_block(intrusive_ptr<ref_counted> keep_, void* owner_) noexcept
        : Handle{}, keep(std::move(keep_)), owner(owner_) {}
    intrusive_ptr<ref_counted> keep;
    void* owner;
};

template <class Handle> uv_block<Handle>& block_of(Handle* handle) noexcept {
    return static_cast<uv_block<Handle>&>(*handle);
}

/// For a callback of a handle that `make_uv` made.
template <class Owner, class Handle> Owner& owner_of(Handle* handle) noexcept {
    return *static_cast<Owner*>(block_of(handle).owner);
}

struct uv_closer {
    template <class Handle> void operator()(uv_block<Handle>* block) const noexcept {
        uv_close(as_handle(block), [](uv_handle_t* handle) {
            auto* const closed = &block_of(reinterpret_cast<Handle*>(handle));
            // The block goes first: what it kept may end with this, and ask what is still open.
            const auto keep = std::move(closed->keep);
            delete closed;
        });
    }
    template <class Handle> static uv_handle_t* as_handle(uv_block<Handle>* block) noexcept {
        return reinterpret_cast<uv_handle_t*>(static_cast<Handle*>(block));
    }
};

/// Owns an initialised uv handle: closes it at its end, and the close callback frees the memory.
template <class Handle> using uv_owned = std::unique_ptr<uv_block<Handle>, uv_closer>;

/// @param init int(Handle*): one of libuv's init functions, with its arguments
/// @param owner for the handle's callbacks
/// @param status what `init` returned; with a negative one the result is null
/// @throws std::bad_alloc
template <class Handle, class Init>
uv_owned<Handle> make_uv(intrusive_ptr<ref_counted> keep, void* owner, int& status, Init init) {
    auto block = std::make_unique<uv_block<Handle>>(std::move(keep), owner);
    status = init(static_cast<Handle*>(block.get()));
    if (status < 0)
        return nullptr;
    return uv_owned<Handle>(block.release());
}

/// @throws std::system_error in `uv_category()` for a negative `status`
void check_uv(int status, const char* what);

} // namespace curlicue::detail
