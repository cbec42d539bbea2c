// SPDX-License-Identifier: MIT
#include "transfer.hpp"

#include "curl.hpp"
#include "request.hpp"
#include "scope.hpp"
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace curlicue::node {
namespace {

const char* text_of(http_version version) noexcept {
    switch (version) {
    case http_version::http2:
        return "2";
    case http_version::http3:
    case http_version::http3_only:
        return "3";
    default:
        return "1.1";
    }
}

template <class T> T value_of(future<T>&& ready) { return ready.get(); }
template <class T> T value_of(result<T>&& outcome) { return std::move(outcome).value(); }

std::pair<std::string, int> told(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool is_v6 = address.sa_family == AF_INET6;
    const void* const bytes =
        is_v6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
              : &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    ::inet_ntop(address.sa_family, bytes, text.data(), text.size());
    return {text.data(), is_v6 ? 6 : 4};
}

} // namespace

napi_value transfer::define(napi_env env) {
    using self = js_class<transfer>;
    return self::define(env, "Transfer",
                        {
                            self::method<&transfer::start>("start"),
                            self::method<&transfer::head>("head"),
                            self::method<&transfer::headers>("headers"),
                            self::method<&transfer::read>("read"),
                            self::method<&transfer::read_all>("readAll"),
                            self::method<&transfer::write>("write"),
                            self::method<&transfer::end_upload>("end"),
                            self::method<&transfer::cancel>("cancel"),
                        });
}

transfer::transfer(const arguments& given)
    : where_(given.where),
      client_(js_class<fetch_client>::of(given.where, given[0], "client must be a Client")),
      request_(request_of(given, client_->redirects(), writer_)), body_(where_.memory()) {}

// (whether to call `tweak`, and that for other servers too; whether to ask `allow`, or to allow
// public addresses only; and whether to call `over`) => Promise<number>: the status.
napi_value transfer::start(const arguments& given) {
    const auto is_set = [&](std::size_t index) { return boolean_of(given.env, given[index]); };
    const bool tweaks = is_set(0), asks = is_set(2), tells = is_set(4);
    request_.tweak_all_hops = is_set(1);
    const auto weak = weak_from_this();
    if (is_set(3))
        request_.allow_address = &public_addresses_only;
    if (tweaks || asks || tells)
        self_.emplace(given.env, given.self, reference::strength::weak);
    if (tweaks)
        request_.tweak = [weak](easy& handle) {
            if (const auto self = weak.lock())
                self->tweak(handle);
        };
    if (asks)
        request_.allow_address = [weak](const sockaddr& address) {
            const auto self = weak.lock();
            return self && self->allows(address);
        };
    asked_ = client_->made()
                 .fetch(std::move(request_))
                 .then_result([self = shared_from_this(), tells](result<response>&& answer) {
                     self->where_.run(
                         [&] {
                             self->has_head(std::move(answer));
                             if (tells)
                                 self->tell_end();
                         },
                         [&](napi_value error) {
                             self->head_wanted_.reject(self->where_.env(), error);
                         });
                 });
    return head_wanted_.promise(given.env);
}

void transfer::has_head(result<response>&& answer) {
    const auto env = where_.env();
    if (!answer.has_value())
        return head_wanted_.reject(env, failure_or(answer.exception()));
    response_.emplace(std::move(answer).value());
    if (failure_) {
        response_->cancel();
        return head_wanted_.reject(env, failure_->value());
    }
    if (response_->status() == 101) { // unasked
        response_->cancel();
        throw std::system_error(CURLE_WEIRD_SERVER_REPLY, "the server switches protocols");
    }
    head_wanted_.resolve(env, number(env, response_->status()));
}

// JavaScript hears, by `over`, when nothing more goes either way.
void transfer::tell_end() {
    if (!response_)
        return;
    promise<void> over(client_->where_it_runs());
    over.get_future()
        .then_result([weak = weak_from_this()](auto&&) {
            const auto self = weak.lock();
            if (!self)
                return;
            self->where_.run([&] { self->call("over", {self->failure_of_upload()}); },
                             [](napi_value) {});
        })
        .detach();
    response_->keep(std::make_shared<promise<void>>(std::move(over))); // broken, when that goes
}

napi_value transfer::failure_of_upload() {
    try {
        if (writer_)
            writer_->write({}).get();
    } catch (const usage_error&) {
        // It has all been written, or the transfer is over and has not failed.
    } catch (...) {
        return failure_or(std::current_exception());
    }
    return undefined(where_.env());
}

// (member of its own, what it is given) => what that returns, or undefined if nobody has this.
napi_value transfer::call(const char* member, std::initializer_list<napi_value> given) const {
    const auto env = where_.env();
    const auto self = self_->value();
    if (self == nullptr)
        return undefined(env);
    napi_value returned = nullptr;
    check(env, napi_call_function(env, self, property(env, self, member), given.size(),
                                  given.begin(), &returned));
    return returned;
}

// A Curl with which any option may be set. It has functions that libcurl calls.
void transfer::tweak(easy& handle) {
    where_.enter_js();
    const auto env = where_.env();
    const auto self = self_->value();
    if (self == nullptr)
        return;
    const auto object = curl::wrap(where_, property(env, self, "Curl"), handle);
    set_property(env, self, "tweaked", object);
    const auto url = handle.getinfo<CURLINFO_EFFECTIVE_URL>();
    call("tweak", {object, string(env, url.value_or(""))});
}

bool transfer::allows(const sockaddr& address) const {
    const js_scope scope(where_);
    const auto env = where_.env();
    const auto [text, family] = told(address);
    return boolean_of(env, call("allow", {string(env, text), number(env, family)}));
}

// () => what is known of the response beside its status.
napi_value transfer::head(const arguments& given) {
    const auto env = given.env;
    napi_value object = nullptr;
    check(env, napi_create_object(env, &object));
    set_property(env, object, "httpVersion", string(env, text_of(response_->version())));
    set_property(env, object, "statusText", latin1(env, response_->reason()));
    set_property(env, object, "url", string(env, response_->url()));
    set_property(env, object, "redirected", boolean(env, response_->redirected()));
    return object;
}

// () => names and values, each on a line.
napi_value transfer::headers(const arguments& given) {
    std::string lines;
    for (const auto field : response_->headers())
        lines.append(field.name).append("\n").append(field.value).append("\n");
    return latin1(given.env, lines);
}

void transfer::require_no_failure() const {
    if (failure_)
        throw *failure_;
}

napi_value transfer::failure_or(const std::exception_ptr& why) {
    return failure_ ? failure_->value() : where_.error(why);
}

/// `give(future)` if that is ready, else a promise of it.
template <class T, class Give> napi_value transfer::later(future<T> what, Give give) {
    if (what.ready())
        return give(std::move(what));
    deferred wanted;
    const auto promise = wanted.promise(where_.env());
    std::move(what)
        .then_result([self = shared_from_this(), wanted, give](result<T>&& outcome) mutable {
            const auto env = self->where_.env();
            self->where_.run(
                [&] {
                    if (outcome.has_value())
                        wanted.resolve(env, give(std::move(outcome)));
                    else
                        wanted.reject(env, self->failure_or(outcome.exception()));
                },
                [&](napi_value error) { wanted.reject(env, error); });
        })
        .detach();
    return promise;
}

// () => Uint8Array | undefined at the end, or a promise of that.
napi_value transfer::read(const arguments& /*given*/) {
    require_no_failure();
    if (!stream_)
        stream_.emplace(response_->body());
    return later(stream_->read(), [this](auto&& piece) {
        return chunk_of(where_.env(), value_of(std::move(piece)));
    });
}

// (text: boolean, most: bytes) => string or Uint8Array, or a promise of that.
napi_value transfer::read_all(const arguments& given) {
    require_no_failure();
    as_text_ = boolean_of(given.env, given[0]);
    most_ = static_cast<std::size_t>(std::min(given.number(1, "maxBodySize"), 9e15));
    auto all = response_->each_piece(
        [self = shared_from_this()](std::string_view data) { self->append(data); });
    if (!all.ready())
        body_.reserve(static_cast<std::size_t>(
            std::min<std::uint64_t>(response_->content_length().value_or(0), most_)));
    return later(std::move(all), [this](auto&& end) {
        value_of(std::move(end));
        return whole();
    });
}

void transfer::append(std::string_view data) {
    if (data.size() > most_ - body_.size())
        throw std::system_error(CURLE_FILESIZE_EXCEEDED, "a body of more than maxBodySize bytes");
    body_.append(data);
}

napi_value transfer::whole() {
    return as_text_ ? body_.take_text(where_.env()) : body_.take(where_.env());
}

// (chunk) => whether more is wanted, or a promise of that.
napi_value transfer::write(const arguments& given) {
    const auto env = given.env;
    auto room = writer_->write(to_content(env, given[0], "what is uploaded"))
                    .then_result([](const result<void>& taken) { return taken.has_value(); });
    return later(std::move(room),
                 [env](auto&& wanted) { return boolean(env, value_of(std::move(wanted))); });
}

napi_value transfer::end_upload(const arguments& given) {
    writer_->end();
    return undefined(given.env);
}

// (reason): what everything that is pending is rejected with.
napi_value transfer::cancel(const arguments& given) {
    if (!failure_)
        failure_.emplace(given.env, given[0]);
    end();
    head_wanted_.reject(given.env, failure_->value());
    return undefined(given.env);
}

void transfer::end() noexcept {
    asked_.cancel();
    if (response_)
        response_->cancel();
}

} // namespace curlicue::node
