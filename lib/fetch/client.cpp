// SPDX-License-Identifier: MIT
#include "../engine.hpp"
#include "client_core.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <utility>

namespace curlicue {

namespace detail {
struct multi_access {
    static const intrusive_ptr<engine>& engine_of(const async_multi& of) noexcept {
        return of.engine_;
    }
    static const client& default_client_of(async_multi& of) {
        std::call_once(of.fetches_, [&of] { of.fetch_client_ = std::make_shared<client>(of); });
        return *static_cast<const client*>(of.fetch_client_.get());
    }
};
} // namespace detail

transport::~transport() = default;
observer::~observer() = default;
void observer::queued(std::uint64_t, const request&, time) {}
void observer::started(std::uint64_t, time) {}
void observer::redirected(std::uint64_t, std::string_view, time) {}
void observer::retried(std::uint64_t, unsigned, time) {}
void observer::headers(std::uint64_t, const response&, time) {}
void observer::done(std::uint64_t, const std::exception_ptr&, time) {}

client::client(async_multi& multi) : client(multi, client_options()) {}
client::client(async_multi& multi, client_options options)
    : core_(detail::client_core::make(
          (static_cast<void>(multi.executor()), detail::multi_access::engine_of(multi)),
          std::move(options))) {}
client::client(std::shared_ptr<transport> below) : client(std::move(below), client_options()) {}
client::client(std::shared_ptr<transport> below, client_options options)
    : core_(detail::client_core::make(std::move(below), std::move(options))) {}
client::client(std::shared_ptr<detail::client_core> core) noexcept : core_(std::move(core)) {}

future<response> client::fetch(request what) const { return core_->fetch(std::move(what)); }

future<response> client::get(std::string_view url, header_list headers) const {
    return fetch(request{.url = std::string(url), .method = "GET", .headers = std::move(headers)});
}
future<response> client::head(std::string_view url, header_list headers) const {
    return fetch(request{.url = std::string(url), .method = "HEAD", .headers = std::move(headers)});
}
future<response> client::del(std::string_view url, header_list headers) const {
    return fetch(
        request{.url = std::string(url), .method = "DELETE", .headers = std::move(headers)});
}
future<response> client::post(std::string_view url, request_body body, header_list headers) const {
    return fetch(request{.url = std::string(url),
                         .method = "POST",
                         .headers = std::move(headers),
                         .body = std::move(body)});
}
future<response> client::put(std::string_view url, request_body body, header_list headers) const {
    return fetch(request{.url = std::string(url),
                         .method = "PUT",
                         .headers = std::move(headers),
                         .body = std::move(body)});
}
future<response> client::patch(std::string_view url, request_body body, header_list headers) const {
    return fetch(request{.url = std::string(url),
                         .method = "PATCH",
                         .headers = std::move(headers),
                         .body = std::move(body)});
}

future<void> client::preconnect(std::string_view url) const {
    return fetch(request{.url = std::string(url),
                         .method = "HEAD",
                         .redirects = redirect_policy{.mode = redirect_mode::manual}})
        .then([](const response&) {});
}

void client::network_changed() const { core_->network_changed(); }
client client::with(layer outermost) const { return client(core_->with(std::move(outermost))); }
client_stats client::stats() const { return core_->stats(); }
executor& client::executor() const noexcept { return core_->executor(); }
future<void> client::close() const { return core_->close(); }
future<void> client::drain(std::chrono::milliseconds patience) const {
    return core_->drain(patience);
}

future<response> fetch(async_multi& multi, request what) {
    return detail::multi_access::default_client_of(multi).fetch(std::move(what));
}

} // namespace curlicue
