// SPDX-License-Identifier: MIT
#include "multi.hpp"

#include "curl.hpp"
#include "deferred.hpp"
#include "stats.hpp"

#include <chrono>
#include <climits>
#include <cstdint>
#include <utility>

namespace curlicue::node {
namespace {

async_multi_options options_of(const arguments& given) {
    async_multi_options options;
    options.hooks = given.where.hooks();
    options.ca_cache = given.number(0, "caCache") != 0;
    if (given.has(1))
        options.sharding =
            shards::fixed(static_cast<std::size_t>(given.whole(1, "shards", 1, UINT32_MAX)));
    if (given.has(2))
        options.heartbeat = std::chrono::milliseconds(given.whole(2, "heartbeat", 0, UINT32_MAX));
    options.refuse_blocking = given.number(3, "refuseBlocking") != 0;
    return options;
}

curl& curl_of(const arguments& given) {
    return *js_class<curl>::of(given.where, given[0], "the handle must be a Curl");
}

} // namespace

napi_value multi::define(napi_env env) {
    using self = js_class<multi>;
    return self::define(env, "AsyncCurlMulti",
                        {
                            self::method<&multi::add_handle>("add_handle"),
                            self::method<&multi::add_handle>("perform"),
                            self::method<&multi::remove_handle>("remove_handle"),
                            self::method<&multi::contains>("contains"),
                            self::getter<&multi::size>("size"),
                            self::method<&multi::setopt>("setopt"),
                            self::method<&multi::close>("close"),
                            self::method<&multi::drain>("drain"),
                            self::getter<&multi::closed>("closed"),
                            self::method<&multi::ref>("ref"),
                            self::method<&multi::unref>("unref"),
                            self::method<&multi::stats>("stats"),
                            self::method<&multi::diagnostics>("diagnostics"),
                        });
}

multi::multi(const arguments& given)
    : where_(given.where),
      multi_(std::make_unique<async_multi>(given.where.loop(), options_of(given))) {
    where_.opened(*this);
}

multi::~multi() {
    if (multi_)
        where_.closing(*this, multi_->close());
}

void multi::end() noexcept {
    const auto kept = shared_from_this();
    where_.closing(*this, multi_->close());
    multi_.reset();
}

napi_value multi::add_handle(const arguments& given) {
    const auto handle = curl_of(given).shared_from_this();
    auto transfer = multi_->add_handle(handle->begin("AsyncCurlMulti.add_handle"));
    deferred settled;
    const auto promise = settled.promise(given.env);
    // The object is kept, with the functions that libcurl calls.
    std::move(transfer)
        .then_result([&where = where_, settled, kept = shared_from_this(), handle,
                      object = std::make_unique<reference>(given.env, given[0])](
                         result<easy>&& outcome) mutable {
            const auto failed = [&](napi_value error) { settled.reject(where.env(), error); };
            where.run(
                [&] {
                    if (outcome.has_value())
                        settled.resolve(where.env(), object->value());
                    else
                        failed(handle->error(outcome.exception()));
                },
                failed);
        })
        .detach([](const std::exception_ptr&) noexcept {});
    return promise;
}

napi_value multi::promise_of(future<void> done) {
    deferred settled;
    const auto promise = settled.promise(where_.env());
    std::move(done)
        .then_result([&where = where_, settled, kept = shared_from_this()](auto&&) mutable {
            where.run([&] { settled.resolve(where.env(), undefined(where.env())); },
                      [&](napi_value error) { settled.reject(where.env(), error); });
        })
        .detach([](const std::exception_ptr&) noexcept {});
    return promise;
}

napi_value multi::remove_handle(const arguments& given) {
    multi_->remove_handle(curl_of(given).handle());
    return undefined(given.env);
}

napi_value multi::contains(const arguments& given) {
    return boolean(given.env, multi_->contains(curl_of(given).handle()));
}

napi_value multi::size(const arguments& given) {
    return number(given.env, static_cast<double>(multi_->size()));
}

napi_value multi::setopt(const arguments& given) {
    multi_->setopt(static_cast<CURLMoption>(given.whole(0, "the option", 0, INT_MAX)),
                   static_cast<curl_off_t>(given.whole(1, "the value", -most_exact, most_exact)));
    return undefined(given.env);
}

napi_value multi::close(const arguments& /*given*/) { return promise_of(multi_->close()); }

napi_value multi::drain(const arguments& given) {
    const auto patience = given.whole(0, "the patience, in milliseconds,", 0, UINT32_MAX);
    return promise_of(multi_->drain(std::chrono::milliseconds(patience)));
}

napi_value multi::closed(const arguments& given) { return boolean(given.env, multi_->closed()); }

napi_value multi::ref(const arguments& given) {
    multi_->keep_loop(hold::while_busy);
    return given.self;
}

napi_value multi::unref(const arguments& given) {
    multi_->keep_loop(hold::never);
    return given.self;
}

napi_value multi::stats(const arguments& given) { return stats_of(given.env, multi_->stats()); }

napi_value multi::diagnostics(const arguments& given) {
    return string(given.env, multi_->diagnostics());
}

} // namespace curlicue::node
