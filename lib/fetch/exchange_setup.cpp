// SPDX-License-Identifier: MIT
// What a request is to libcurl.
#include "../easy_core.hpp"
#include "addresses.hpp"
#include "client_core.hpp"
#include "exchange.hpp"
#include "header_access.hpp"
#include "transfer_info.hpp"
#include <curlicue/share.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace curlicue::detail {
namespace {

constexpr long number_of(http_version version) noexcept {
    switch (version) {
    case http_version::http1:
        return CURL_HTTP_VERSION_1_1;
    case http_version::http2:
        return CURL_HTTP_VERSION_2TLS;
    case http_version::http3:
        return 30; // CURL_HTTP_VERSION_3
    case http_version::http3_only:
        return 31; // CURL_HTTP_VERSION_3ONLY, of 7.88
    case http_version::automatic:
        break;
    }
    return CURL_HTTP_VERSION_NONE;
}

// The longest that libcurl can count (int, below 7.88 too); 0 would be its own default.
constexpr std::chrono::milliseconds as_good_as_none(std::numeric_limits<int>::max());

// What goes out with the head, as good as at once.
constexpr std::size_t sent_at_once = std::size_t{16} << 10;

/// Whether it says Content-Length: 0 where it has no body (Fetch, 4.6 HTTP-network-or-cache fetch).
bool says_it_is_empty(std::string_view method) noexcept {
    return method == "POST" || method == "PUT";
}

/// A header as CURLOPT_HTTPHEADER wants it: an empty one with a semicolon.
std::string line_of(const header_field& field) {
    std::string line(field.name);
    // libcurl takes one of blanks alone for an order to leave its own out.
    return trimmed(field.value).empty() ? line + ';' : line.append(": ").append(field.value);
}

} // namespace

// Of what it sets only what each request sets is left behind: its easy may carry the next such one.
bool exchange::is_plain() const {
    const auto& options = network_->options();
    return what_.method == "GET" && what_.body.empty() && !what_.tweak && !what_.progress &&
           what_.decompress && !is_guarded() && !options.share && options.resolve.empty() &&
           (options.limits.first_byte || !(of && of->limits.first_byte)) &&
           what_.url.find('@') == std::string::npos;
}

easy exchange::set_up() {
    plain_ = is_plain();
    auto handle = plain_ ? network_->take_used() : std::nullopt;
    if (!handle) {
        handle = network_->take_easy();
        set_client(*handle);
    }
    handle->setopt<CURLOPT_URL>(what_.url)
        .setopt<CURLOPT_HEADERDATA>(static_cast<void*>(this))
        .setopt<CURLOPT_WRITEDATA>(static_cast<void*>(this))
        .setopt<CURLOPT_PREREQDATA>(static_cast<void*>(this));
    if (of && of->limits.connect)
        handle->setopt<CURLOPT_CONNECTTIMEOUT_MS>(
            of->limits.connect->count() > 0 ? std::min(*of->limits.connect, as_good_as_none)
                                            : as_good_as_none);
    set_head(*handle);
    if (!plain_)
        set_up_more(*handle);
    return *std::move(handle);
}

void exchange::set_up_more(easy& handle) {
    set_body(handle);
    const auto& content = body_access::content(what_.body);
    if (is_guarded())
        ask_before_connecting(handle);
    if (is_guarded() || (of && of->limits.first_byte) || upload_ || (content && content->parts()) ||
        !is_idempotent(what_.method))
        handle.setopt<CURLOPT_PREREQFUNCTION>(&exchange::on_prereq);
    if (what_.progress)
        set_progress(handle);
    if (what_.tweak)
        what_.tweak(handle);
}

void exchange::set_progress(easy& handle) {
    handle.setopt<CURLOPT_XFERINFOFUNCTION>([this](curl_off_t to_receive, curl_off_t received,
                                                   curl_off_t to_send, curl_off_t sent) {
        const auto count = [](curl_off_t bytes) { return static_cast<std::uint64_t>(bytes); };
        const auto before = of && published_ && head.status == 206 ? of->resumed_at : 0;
        what_.progress({before + count(received), to_receive > 0 ? before + count(to_receive) : 0,
                        count(sent), count(to_send)});
        return 0;
    });
}

void exchange::set_head(easy& handle) {
    std::vector<std::string> lines;
    const auto& content = body_access::content(what_.body);
    const bool posts = content || says_it_is_empty(what_.method);
    for (const auto field : what_.headers)
        if (!posts || !same_token(field.name, "Content-Length")) // else libcurl says it
            lines.push_back(line_of(field));
    if (!what_.headers.contains("Content-Type") && !is_left_out(what_, "Content-Type")) {
        const auto type = content ? content->content_type() : std::string();
        if (!type.empty())
            lines.push_back("Content-Type: " + type);
        else if (posts && (content == nullptr || content->parts() == nullptr))
            lines.emplace_back("Content-Type:"); // else libcurl says it is a form
    }
    if (content && !what_.headers.contains("Expect"))
        lines.emplace_back("Expect:");
    for (const auto& name : what_.left_out)
        if (!what_.headers.contains(name))
            lines.push_back(name + ':');
    if (!what_.keep_alive)
        lines.emplace_back("Connection: close");
    if (!lines.empty())
        handle.setopt<CURLOPT_HTTPHEADER>(lines);
    else if (easy_access::core_of(handle)->is_set(CURLOPT_HTTPHEADER))
        handle.unset<CURLOPT_HTTPHEADER>(); // of the request before
}

void exchange::set_body(easy& handle) {
    const auto& content = body_access::content(what_.body);
    const auto& method = what_.method;
    if (method == "HEAD") {
        handle.setopt<CURLOPT_NOBODY>(true);
        return;
    }
    if (method != "GET" || content)
        handle.setopt<CURLOPT_CUSTOMREQUEST>(method);
    if (!content) {
        if (says_it_is_empty(method))
            handle.setopt<CURLOPT_POSTFIELDS>(std::string_view());
        return;
    }
    const bool may_repeat = content->replayable() && is_idempotent(method);
    const auto* const text = content->text();
    if (text != nullptr && may_repeat && text->size() <= sent_at_once) {
        handle.setopt<CURLOPT_POSTFIELDS>(std::string_view(*text));
    } else if (const auto* const parts = content->parts()) {
        handle.setopt<CURLOPT_MIMEPOST>(*parts);
    } else {
        upload_.emplace(static_cast<upload::owner&>(*this), content, link(), may_repeat);
        handle.setopt<CURLOPT_UPLOAD>(true)
            .setopt<CURLOPT_READFUNCTION>(&upload::on_read)
            .setopt<CURLOPT_READDATA>(static_cast<void*>(&*upload_))
            .setopt<CURLOPT_SEEKFUNCTION>(&upload::on_seek)
            .setopt<CURLOPT_SEEKDATA>(static_cast<void*>(&*upload_));
        if (const auto size = content->size())
            handle.setopt<CURLOPT_INFILESIZE_LARGE>(static_cast<curl_off_t>(*size));
    }
}

/// What all requests of a client have in common.
void exchange::set_client(easy& handle) {
    const auto& options = network_->options();
    handle.setopt<CURLOPT_PROTOCOLS_STR>("http,https")
        .setopt<CURLOPT_HEADERFUNCTION>(&exchange::on_header)
        .setopt<CURLOPT_WRITEFUNCTION>(&exchange::on_write)
        .setopt<CURLOPT_SUPPRESS_CONNECT_HEADERS>(true)
        .setopt<CURLOPT_USERAGENT>(options.user_agent); // unless a header says otherwise
    if (what_.decompress)
        handle.setopt<CURLOPT_ACCEPT_ENCODING>("");
    if (options.limits.first_byte)
        handle.setopt<CURLOPT_PREREQFUNCTION>(&exchange::on_prereq);
    set_connection(handle);
}

void exchange::set_connection(easy& handle) {
    const auto& options = network_->options();
    auto& core = *easy_access::core_of(handle);
    if (options.version != http_version::automatic)
        handle.setopt<CURLOPT_HTTP_VERSION>(number_of(options.version));
    handle.setopt<CURLOPT_PROXY>(options.proxy.url).setopt<CURLOPT_NOPROXY>(options.proxy.no_proxy);
    if (!options.proxy.user.empty())
        handle.setopt<CURLOPT_PROXYUSERNAME>(options.proxy.user)
            .setopt<CURLOPT_PROXYPASSWORD>(options.proxy.password);
    const auto& tls = options.tls;
    if (!tls.ca_file.empty())
        handle.setopt<CURLOPT_CAINFO>(tls.ca_file);
    else
        core.prefer_ca_bundle();
    if (!tls.certificate.empty())
        handle.setopt<CURLOPT_SSLCERT>(tls.certificate);
    if (!tls.key.empty())
        handle.setopt<CURLOPT_SSLKEY>(tls.key);
    if (!tls.pins.empty())
        handle.setopt<CURLOPT_PINNEDPUBLICKEY>(tls.pins);
    handle.setopt<CURLOPT_SSLVERSION>(tls.lowest == "1.3" ? CURL_SSLVERSION_TLSv1_3
                                                          : CURL_SSLVERSION_TLSv1_2);
    if (options.share) {
        handle.setopt<CURLOPT_SHARE>(*options.share);
        if (options.share->shares(CURL_LOCK_DATA_COOKIE))
            handle.setopt<CURLOPT_COOKIEFILE>(""); // or libcurl has none, share or not
    }
    if (auto* const hsts = network_->hsts())
        hsts->lend_to(handle);
    if (!options.resolve.empty())
        handle.setopt<CURLOPT_RESOLVE>(options.resolve);
    if (!options.unix_socket.empty())
        handle.setopt<CURLOPT_UNIX_SOCKET_PATH>(options.unix_socket);
    if (!options.local_address.empty())
        handle.setopt<CURLOPT_INTERFACE>(options.local_address);
}

bool exchange::is_guarded() const noexcept {
    return what_.allow_address || network_->options().allow_address;
}

bool exchange::allows(const sockaddr& address) const {
    const auto& first = network_->options().allow_address;
    return (!first || first(address)) && (!what_.allow_address || what_.allow_address(address));
}

void exchange::ask_before_connecting(easy& handle) {
    handle.setopt<CURLOPT_OPENSOCKETFUNCTION>([this](curlsocktype, curl_sockaddr& address) {
        if (!allows(address.addr)) {
            address_refused_ = true;
            return curl_socket_t{CURL_SOCKET_BAD};
        }
        address_allowed_ = true;
        return static_cast<curl_socket_t>(
            ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol));
    });
}

int exchange::on_prereq(void* self, char* peer, char* /*local*/, int port, int /*local_port*/) {
    auto& here = *static_cast<exchange*>(self);
    try {
        return here.about_to_send(peer, static_cast<std::uint16_t>(port));
    } catch (...) {
        here.fail(std::current_exception());
        return CURL_PREREQFUNC_ABORT;
    }
}

/// Of what may be sent once only. Where a response has come, libcurl answers that.
bool exchange::is_second_sending() const noexcept {
    if (upload_ && upload_->begun() && !upload_->may_repeat())
        return true;
    return sent_at_ != time::max() && parser_.empty() && !is_idempotent(what_.method) &&
           number_of(*handle_, CURLINFO_REQUEST_SIZE) > 0;
}

// A connection may have been made before the guard was there; and libcurl sends a request again of
// itself if a kept connection turns out to be dead.
int exchange::about_to_send(const char* peer, std::uint16_t port) {
    if (is_guarded() &&
        !is_allowed([this](const sockaddr& address) { return allows(address); }, peer, port)) {
        address_refused_ = true;
        address_allowed_ = false;
        return CURL_PREREQFUNC_ABORT;
    }
    if (is_second_sending()) {
        fail(refusal(std::error_code(CURLE_SEND_FAIL_REWIND, easy_category()), fetch_phase::send));
        return CURL_PREREQFUNC_ABORT;
    }
    sent_at_ = now();
    network_->deadlines().changed(*this);
    return CURL_PREREQFUNC_OK;
}

} // namespace curlicue::detail
