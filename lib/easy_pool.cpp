// SPDX-License-Identifier: MIT
#include "easy_store.hpp"
#include "global.hpp"
#include <curlicue/easy_pool.hpp>

#include <new>
#include <utility>

namespace curlicue {
namespace detail {

intrusive_ptr<easy_core> easy_store::take() {
    intrusive_ptr<easy_core> core;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty() && !process_.elsewhere()) {
            core = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!core)
        core = easy_core::create();
    core->set_store(intrusive_ptr<easy_store>::share(this));
    return core;
}

void easy_store::take_back(easy_core& core) noexcept {
    core.retain(); // ours
    auto kept = intrusive_ptr<easy_core>::adopt(&core);
    if (process_.elsewhere() || core.closed() || !has_room())
        return;
    try {
        core.renew();
        const std::lock_guard lock(mutex_);
        // A callback of the old handle's last moments may have kept a copy.
        if (idle_.size() < most_ && kept->unique())
            idle_.push_back(std::move(kept));
    } catch (const std::exception&) {
        // It goes, as every other that is not kept.
    }
}

void easy_store::close() noexcept {
    std::vector<intrusive_ptr<easy_core>> dropped; // once the lock is off
    const std::lock_guard lock(mutex_);
    most_ = 0;
    dropped.swap(idle_);
}

std::size_t easy_store::size() const noexcept {
    const std::lock_guard lock(mutex_);
    return idle_.size();
}

bool easy_store::has_room() const noexcept {
    const std::lock_guard lock(mutex_);
    return idle_.size() < most_;
}

} // namespace detail

easy_pool::easy_pool(std::size_t most) : store_(detail::make_intrusive<detail::easy_store>(most)) {
    detail::global_init(); // of what libcurl needs at its own end, that comes first when all ends
}

easy_pool::~easy_pool() { store_->close(); }

easy easy_pool::take() { return detail::easy_access::wrap(store_->take().get()); }

easy easy_pool::take(std::string_view url) {
    auto handle = take();
    handle.setopt<CURLOPT_URL>(url);
    return handle;
}

std::size_t easy_pool::size() const noexcept { return store_->size(); }

} // namespace curlicue
