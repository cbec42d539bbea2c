// SPDX-License-Identifier: MIT
#include "transfer.hpp"

#include "curl.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace curlicue::node {
namespace {

constexpr std::size_t most_of_a_head = 262144;

std::shared_ptr<multi> multi_of(const arguments& given) {
    return js_class<multi>::of(given.where, given[0], "multi must be an AsyncCurlMulti");
}

// "HTTP/1.1 100 Continue": the response is still to come.
bool is_interim(std::string_view head) noexcept {
    const auto blank = head.find(' ');
    const auto status = head.find_first_not_of(' ', blank);
    return status != head.npos && head[status] == '1';
}

} // namespace

napi_value transfer::define(napi_env env) {
    using self = js_class<transfer>;
    return self::define(env, "Transfer",
                        {
                            self::method<&transfer::curl>("curl"),
                            self::method<&transfer::start>("start"),
                            self::method<&transfer::read>("read"),
                            self::method<&transfer::read_all>("readAll"),
                            self::method<&transfer::write>("write"),
                            self::method<&transfer::end>("end"),
                            self::method<&transfer::drained>("drained"),
                            self::method<&transfer::cancel>("cancel"),
                        });
}

transfer::transfer(const arguments& given)
    : where_(given.where), multi_(multi_of(given)), easy_(multi_->easies().take()),
      body_(multi_->memory()),
      high_water_(static_cast<std::size_t>(given.number(6, "highWaterMark"))) {
    easy_->prepare(given);
}

// (Curl) => Curl, with which any option may be set. It has functions that libcurl calls, and is
// kept by our own object, not by us: one that knows the response is no cycle then.
napi_value transfer::curl(const arguments& given) {
    const auto object = curl::wrap(where_, given[0], easy_->unguarded());
    set_property(given.env, given.self, "tweaked", object);
    tweaked_ = true;
    return object;
}

// (told?: (reason) => void) => Promise<string>: the response's head. `told` is called when it is
// over, with what it failed with, if it did.
napi_value transfer::start(const arguments& given) {
    if (given.has(0))
        told_.emplace(given.env, given[0]);
    if (tweaked_)
        easy_->set_callbacks();
    easy_->call(*this);
    running_ = multi_->driven().perform(easy_->handle()).share();
    static_cast<void>(running_.then_result(
        [self = shared_from_this(), busy = multi::busy(multi_)](result<easy>&& outcome) {
            self->where_.run([&] { self->finished(std::move(outcome)); },
                             [&](napi_value error) { self->give_up(error); });
        }));
    return head_wanted_.promise(given.env);
}

std::size_t transfer::header(std::string_view line) {
    if (head_complete_ && tweaked_ && line.starts_with("HTTP/")) { // one more, by an option
        head_.clear();
        head_complete_ = false;
    }
    if (head_complete_) // a trailer
        return line.size();
    if (head_.size() + line.size() > most_of_a_head)
        throw std::system_error(CURLE_FILESIZE_EXCEEDED, "the response's head");
    if (line != "\r\n" && line != "\n") {
        head_.append(line);
    } else if (is_interim(head_)) {
        head_.clear();
    } else {
        head_complete_ = true;
        if (!tweaked_)
            tell_soon();
    }
    return line.size();
}

std::size_t transfer::receive(std::span<const char> data) {
    if (form_ != form::chunks) {
        check_size(body_.size() + data.size());
    } else if (!body_.empty() && body_.size() + data.size() > high_water_) {
        paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (head_wanted_.pending() && body_.empty())
        expect_body(high_water_);
    body_.append(data);
    if (head_wanted_.pending() || (body_wanted_.pending() && readable()))
        tell_soon();
    return data.size();
}

std::size_t transfer::send(std::span<char> buffer) {
    const auto size = upload_.read(buffer);
    if (drain_wanted_.pending() && !upload_.full())
        tell_soon();
    return size;
}

// When libcurl has returned. By then a short transfer is over, and all is told at once.
void transfer::tell_soon() {
    if (std::exchange(telling_, true))
        return;
    multi_->driven().executor().post([self = shared_from_this()] {
        self->telling_ = false;
        if (!self->running_.ready())
            self->where_.run([&] { self->tell(); },
                             [&](napi_value error) { self->give_up(error); });
    });
}

void transfer::tell() {
    const auto env = where_.env();
    if (head_wanted_.pending() && head_complete_) {
        head_wanted_.resolve(env, latin1(env, std::exchange(head_, {})));
        // One that answers before it has all may want no more. libcurl 7.88 then stops sending, but
        // waits for an upload that is paused to go on.
        resume(upload_.resume());
    }
    if (body_wanted_.pending() && readable())
        body_wanted_.resolve(env, taken());
    if (drain_wanted_.pending() && (over() || !upload_.full()))
        drain_wanted_.resolve(env, boolean(env, !over()));
}

void transfer::tell_end() {
    if (!told_)
        return;
    const auto env = where_.env();
    const auto told = told_->value();
    told_.reset();
    const auto reason = failure_ ? failure_->value() : undefined(env);
    check(env, napi_call_function(env, undefined(env), told, 1, &reason, nullptr));
}

void transfer::tell_failure() {
    const auto env = where_.env();
    if (drain_wanted_.pending())
        drain_wanted_.resolve(env, boolean(env, false));
    for (auto* wanted : {&head_wanted_, &body_wanted_})
        if (wanted->pending() && !(wanted == &body_wanted_ && readable()))
            wanted->reject(env, failure_->value());
}

void transfer::finished(result<easy>&& outcome) {
    const auto fail = [&](const std::exception_ptr& why) {
        if (!failure_)
            failure_.emplace(where_.env(), where_.error(why, head_complete_));
    };
    running_ = {};
    auto used = std::exchange(easy_, nullptr);
    if (!outcome.has_value())
        fail(outcome.exception());
    else if (!head_complete_) // as of a server that switches protocols, unasked
        fail(std::make_exception_ptr(
            std::system_error(CURLE_WEIRD_SERVER_REPLY, "the response has no head")));
    else
        multi_->easies().give_back(std::move(used));
    if (failure_)
        tell_failure();
    tell();
    tell_end();
}

// Something went wrong here: nobody waits for ever, and nobody takes a part for the whole.
void transfer::give_up(napi_value error) {
    const auto env = where_.env();
    if (!failure_)
        failure_.emplace(env, error);
    body_.clear();
    running_.cancel();
    head_wanted_.reject(env, error);
    body_wanted_.reject(env, error);
    if (drain_wanted_.pending())
        drain_wanted_.resolve(env, boolean(env, false));
    tell_end();
}

void transfer::check_size(std::size_t size) const {
    if (size > most_)
        throw std::system_error(CURLE_FILESIZE_EXCEEDED, "a body of more than maxBodySize bytes");
}

// Of the length that the server has told, if it has.
void transfer::expect_body(std::size_t most) {
    const auto length = easy_->handle().getinfo<CURLINFO_CONTENT_LENGTH_DOWNLOAD_T>();
    if (length > 0)
        body_.reserve(std::min(static_cast<std::size_t>(length), most));
}

// Whether there is something to give to who reads.
bool transfer::readable() const noexcept {
    if (form_ != form::chunks)
        return over() && !failure_;
    return !body_.empty() || (over() && !failure_);
}

napi_value transfer::taken() {
    const auto env = where_.env();
    if (form_ == form::text)
        return body_.take_text(env);
    return form_ == form::chunks && body_.empty() ? undefined(env) : body_.take(env);
}

// Libcurl may call us before this returns, and may be through: then its outcome is still to be
// told.
void transfer::resume(bool stopped) {
    if (stopped && !over() && !running_.ready()) {
        auto handle = easy_->handle();
        handle.unpause();
    }
}

// () => Uint8Array | undefined at the end, or a promise of that.
napi_value transfer::read(const arguments& given) {
    if (failure_ && !readable())
        throw *failure_;
    const auto chunk = readable() ? taken() : body_wanted_.promise(given.env);
    resume(std::exchange(paused_, false));
    return chunk;
}

// (text: boolean, most: bytes) => string or Uint8Array, or a promise of that.
napi_value transfer::read_all(const arguments& given) {
    bool text = false;
    check(given.env, napi_get_value_bool(given.env, given[0], &text));
    most_ = static_cast<std::size_t>(std::min(given.number(1, "maxBodySize"), 9e15));
    form_ = text ? form::text : form::bytes;
    check_size(body_.size());
    if (readable())
        return taken();
    if (failure_)
        throw *failure_;
    expect_body(most_);
    const auto promise = body_wanted_.promise(given.env);
    resume(std::exchange(paused_, false));
    return promise;
}

// (chunk) => whether there is room for more.
napi_value transfer::write(const arguments& given) {
    if (type_of(given.env, given[0]) == napi_string) {
        upload_.write(given.text(0, "the chunk"));
    } else {
        const auto bytes = to_bytes(given.env, given[0], "what is uploaded");
        upload_.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    resume(upload_.resume());
    return boolean(given.env, !over() && !upload_.full());
}

napi_value transfer::end(const arguments& given) {
    upload_.end();
    resume(upload_.resume());
    return undefined(given.env);
}

// () => whether more is wanted, or a promise of that.
napi_value transfer::drained(const arguments& given) {
    if (over() || !upload_.full())
        return boolean(given.env, !over());
    return drain_wanted_.promise(given.env);
}

// (reason): what everything that is pending is rejected with, once libcurl has let go.
napi_value transfer::cancel(const arguments& given) {
    if (!over() && !failure_ && !running_.ready()) {
        failure_.emplace(given.env, given[0]);
        body_.clear();
        running_.cancel();
    }
    return undefined(given.env);
}

} // namespace curlicue::node
