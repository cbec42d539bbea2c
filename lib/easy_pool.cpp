// SPDX-License-Identifier: MIT
#include "easy_store.hpp"
#include <curlicue/easy_pool.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace curlicue {
namespace detail {
namespace {

/// What curl_easy_reset leaves alone would follow the handle to its next owner.
bool may_remember_a_server(const easy_core& core) noexcept {
    constexpr CURLoption memories[] = {
        CURLOPT_COOKIEFILE,    CURLOPT_COOKIEJAR,        CURLOPT_COOKIELIST,
        CURLOPT_ALTSVC,        CURLOPT_ALTSVC_CTRL,      CURLOPT_HSTS,
        CURLOPT_HSTS_CTRL,     CURLOPT_HSTSREADDATA,     CURLOPT_HSTSREADFUNCTION,
        CURLOPT_HSTSWRITEDATA, CURLOPT_HSTSWRITEFUNCTION};
    return std::any_of(std::begin(memories), std::end(memories),
                       [&](CURLoption option) { return core.is_set(option); });
}

} // namespace

intrusive_ptr<easy_core> easy_store::take() {
    intrusive_ptr<easy_core> core;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
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
    if (core.closed() || may_remember_a_server(core))
        return;
    try {
        core.set(CURLOPT_SHARE, nullptr);
        core.reset();
        const std::lock_guard lock(mutex_);
        if (idle_.size() < most_)
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

} // namespace detail

easy_pool::easy_pool(std::size_t most) : store_(detail::make_intrusive<detail::easy_store>(most)) {}

easy_pool::~easy_pool() { store_->close(); }

easy easy_pool::take() { return detail::easy_access::wrap(store_->take().get()); }

easy easy_pool::take(std::string_view url) {
    auto handle = take();
    handle.setopt<CURLOPT_URL>(url);
    return handle;
}

std::size_t easy_pool::size() const noexcept { return store_->size(); }

} // namespace curlicue
