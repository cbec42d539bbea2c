// SPDX-License-Identifier: MIT
// The head of an exchange: the lines that libcurl brings, and the response for whoever waits for
// it.
#include "exchange_head.hpp"

#include "../easy_core.hpp"
#include "client_core.hpp"

#include <utility>

namespace curlicue::detail {

std::size_t exchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& here = *static_cast<exchange*>(self);
    try {
        return here.take_line({data, size * count});
    } catch (...) {
        here.fail(std::current_exception());
        return CURL_WRITEFUNC_ERROR;
    }
}

std::exception_ptr exchange::too_long_a_head() const noexcept {
    return fetch_failure(errc::too_large, published_ ? fetch_phase::body : fetch_phase::headers,
                         attempts_of(of), std::nullopt,
                         "the server's head, or what is behind a body, is longer than 256 KiB");
}

std::size_t exchange::take_line(std::string_view line) {
    last_byte_ = now();
    switch (parser_.take(line)) {
    case head_parser::found::too_much:
        fail(too_long_a_head());
        return 0;
    case head_parser::found::end_of_head:
        if (!published_ && !expects_another_head())
            publish();
        break;
    default:
        break;
    }
    return line.size();
}

// libcurl may answer a challenge, or follow a redirect, itself, if it was told to: then another
// head comes. Of what is set by hand we do not know.
bool exchange::expects_another_head() const {
    const auto status = parser_.status();
    const auto& core = *easy_access::core_of(*handle_);
    const auto asked_for = [&](CURLoption option) {
        return core.set_by_hand() || core.is_set(option);
    };
    return (status == 401 && asked_for(CURLOPT_HTTPAUTH)) ||
           (status == 407 && asked_for(CURLOPT_PROXYAUTH)) ||
           (status >= 300 && status < 400 && asked_for(CURLOPT_FOLLOWLOCATION));
}

// HSTS may have made https of it.
std::string exchange::sent_to() {
    if (network_->hsts() != nullptr)
        if (const auto url = handle_->getinfo<CURLINFO_EFFECTIVE_URL>())
            return std::string(*url);
    return std::move(what_.url);
}

// The head, for whoever waits for it.
void exchange::publish() {
    parser_.is_final();
    head = std::move(parser_.head());
    url = without_credentials(sent_to());
    if (const auto address = handle_->getinfo<CURLINFO_PRIMARY_IP>())
        remote_address = *address;
    at_head_ = measured();
    if (of) {
        earlier_.assign(of->hops.begin(), of->hops.end());
        place_ = of->hops.size();
        of->hops.push_back(at_head_);
        of->phase = fetch_phase::body;
    }
    published_ = true;
    auto whole = response_access::make(intrusive_ptr<exchange>::share(this));
    head_state_->tell(std::move(whole)); // if it is cancelled, the response is dropped
    if (stage_ != stage::running)
        return;
    network_->deadlines().changed(*this);
    // A server that answers before it has all may want no more. libcurl 7.88 then stops sending,
    // but waits for an upload that is paused to go on.
    if (upload_ && upload_->waits())
        on_loop(
            [kept = intrusive_ptr<exchange>::share(this)]() noexcept { kept->upload_->go_on(); });
}

} // namespace curlicue::detail
