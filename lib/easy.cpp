// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "refusal.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/future.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <new>
#include <thread>

namespace curlicue {
namespace {

/// What has an easy while it performs by itself.
class performance final : public detail::attachment {
public:
    explicit performance(detail::easy_core& core) : core_(core) {
        if (!core.claim(*this))
            throw usage_error(errc::attached, "easy::perform");
        try {
            core.enter_thread();
        } catch (...) {
            core.release_claim();
            throw;
        }
    }
    performance(const performance&) = delete;
    performance& operator=(const performance&) = delete;
    ~performance() { core_.release_claim(); }

    void remove(detail::easy_core&) override {
        throw usage_error(errc::inside_callback, "easy::close");
    }
    void pause(detail::easy_core& core, int bitmask) override {
        detail::require_ok(curl_easy_pause(core.handle(), bitmask), "easy::pause");
    }
    void callback_failed(detail::easy_core&) noexcept override {} // told when it is over

private:
    detail::easy_core& core_;
};

/// A call of libcurl's with the handle of a transfer, in which callbacks may be called.
class handle_call {
public:
    explicit handle_call(detail::easy_core& core) noexcept
        : core_(detail::intrusive_ptr<detail::easy_core>::share(&core)), by_(core.attached_to()) {
        if (by_ != nullptr)
            by_->enter_libcurl();
    }
    handle_call(const handle_call&) = delete;
    handle_call& operator=(const handle_call&) = delete;
    ~handle_call() {
        if (by_ != nullptr)
            by_->leave_libcurl();
    }
    operator CURL*() const noexcept { return core_->handle(); }

private:
    const detail::intrusive_ptr<detail::easy_core> core_;
    detail::attachment* const by_;
};

/// CURLE_AGAIN is an answer, not a failure.
std::optional<std::size_t> unless_again(CURLcode code, std::size_t count, const char* what) {
    if (code == CURLE_AGAIN)
        return std::nullopt;
    detail::require_ok(code, what);
    return count;
}

} // namespace

easy::easy() : core_(detail::easy_core::create()) {}
easy::easy(std::string_view url) : easy() { setopt<CURLOPT_URL>(url); }
easy::easy(detail::intrusive_ptr<detail::easy_core> core) noexcept : core_(std::move(core)) {}
easy easy::borrow(CURL* handle) { return easy(detail::easy_core::borrow(handle)); }

easy::easy(const easy&) noexcept = default;
easy::easy(easy&&) noexcept = default;
easy& easy::operator=(const easy&) noexcept = default;
easy& easy::operator=(easy&&) noexcept = default;
easy::~easy() = default;

easy detail::easy_access::wrap(easy_core* core) noexcept {
    return easy(intrusive_ptr<easy_core>::share(core));
}

detail::easy_core& easy::idle(const char* what) const {
    if (!core_)
        throw usage_error(errc::closed, what);
    core_->require_idle(what);
    return *core_;
}

detail::easy_core& easy::here(const char* what) const {
    if (!core_)
        throw usage_error(errc::closed, what);
    core_->require_thread(what);
    return *core_;
}

easy& easy::setopt(CURLoption option, const option_value& value) {
    idle("easy::setopt").set(option, value);
    return *this;
}

void easy::set(CURLoption option, std::nullptr_t) { idle("easy::setopt").set(option, nullptr); }
void easy::set(CURLoption option, curl_off_t number) { idle("easy::setopt").set(option, number); }
void easy::set(CURLoption option, const detail::text& text) {
    idle("easy::setopt").set(option, text.view());
}
void easy::set(CURLoption option, detail::slist list) {
    idle("easy::setopt").set(option, std::move(list));
}
void easy::set(CURLoption option, detail::bytes data) { idle("easy::setopt").set(option, data); }
void easy::set(CURLoption option, void* pointer) { idle("easy::setopt").set(option, pointer); }
void easy::set(CURLoption option, detail::raw_function function) {
    idle("easy::setopt").set(option, function);
}
void easy::set(CURLoption option, detail::intrusive_ptr<detail::ref_counted> callable) {
    idle("easy::setopt").set(option, std::move(callable));
}
void easy::set(CURLoption option, const mime& parts) { idle("easy::setopt").set(option, parts); }
void easy::set(CURLoption option, const share& data) { idle("easy::setopt").set(option, data); }
void easy::set(CURLoption option, const url& address) { idle("easy::setopt").set(option, address); }
void easy::set(CURLoption option, const easy& other) {
    idle("easy::setopt").set(option, other.idle("STREAM_DEPENDS"));
}

easy easy::duphandle() const { return easy(idle("easy::duphandle").duplicate()); }
void easy::reset() { idle("easy::reset").reset(); }

void easy::perform() {
    const auto alive = *this; // a callback may drop the caller's copy
    auto& core = idle("easy::perform");
    std::exception_ptr failure;
    {
        const performance transfer(core);
        failure = core.failure(curl_easy_perform(core.handle()));
    }
    if (failure)
        std::rethrow_exception(failure);
}

void easy::pause(int bitmask) const {
    auto& core = here("easy::pause");
    if (auto* const by = core.attached_to()) {
        core.set_paused(bitmask & CURLPAUSE_ALL);
        by->pause(core, bitmask);
    }
}

void easy::pause(direction which) const {
    pause(here("easy::pause").paused() | static_cast<int>(which));
}

void easy::unpause(direction which) const {
    pause(here("easy::unpause").paused() & ~static_cast<int>(which));
}

void easy::close() {
    if (core_)
        core_->close();
}

bool easy::closed() const noexcept { return !core_ || core_->closed(); }
bool easy::attached() const noexcept { return core_ && core_->attached_to() != nullptr; }
std::string_view easy::error() const noexcept { return core_ ? core_->error() : ""; }
CURL* easy::native_handle() const noexcept { return closed() ? nullptr : core_->handle(); }

std::optional<std::size_t> easy::send(std::string_view data) {
    std::size_t sent = 0;
    const handle_call handle(here("easy::send"));
    const auto code = curl_easy_send(handle, data.data(), data.size(), &sent);
    return unless_again(code, sent, "easy::send");
}

std::optional<std::size_t> easy::recv(std::span<char> buffer) {
    std::size_t received = 0;
    const handle_call handle(here("easy::recv"));
    const auto code = curl_easy_recv(handle, buffer.data(), buffer.size(), &received);
    return unless_again(code, received, "easy::recv");
}

future<void> easy::when_ready(detail::ready_for what) const {
    auto* const by = here(call_for(what)).attached_to();
    if (by == nullptr)
        throw usage_error(errc::not_added, call_for(what));
    return by->wait_for_socket(what);
}

future<void> easy::readable() const { return when_ready(detail::ready_for::reading); }
future<void> easy::writable() const { return when_ready(detail::ready_for::writing); }

void easy::upkeep() {
    const handle_call handle(here("easy::upkeep"));
    detail::require_ok(curl_easy_upkeep(handle), "easy::upkeep");
}

const curl_header* easy::header(const std::string& name, std::size_t index, unsigned origin,
                                int request) const {
    curl_header* found = nullptr;
    auto* const handle = here("easy::header").handle();
    detail::refuse_nul(name, "easy::header");
    switch (curl_easy_header(handle, name.c_str(), index, origin, request, &found)) {
    case CURLHE_OK:
        return found;
    case CURLHE_OUT_OF_MEMORY:
        throw std::bad_alloc();
    case CURLHE_BAD_ARGUMENT:
        detail::refuse(CURLE_BAD_FUNCTION_ARGUMENT, "easy::header");
    case CURLHE_NOT_BUILT_IN:
        detail::refuse(CURLE_NOT_BUILT_IN, "easy::header");
    default:
        return nullptr; // no such header, index or request
    }
}

const curl_header* easy::nextheader(const curl_header* previous, unsigned origin,
                                    int request) const {
    return curl_easy_nextheader(here("easy::nextheader").handle(), origin, request,
                                const_cast<curl_header*>(previous)); // libcurl only reads it
}

std::optional<std::size_t> easy::ws_send(std::string_view data, unsigned flags,
                                         curl_off_t fragment_size) {
    std::size_t sent = 0;
    const handle_call handle(here("easy::ws_send"));
    const auto code = curl_ws_send(handle, data.data(), data.size(), &sent, fragment_size, flags);
    return unless_again(code, sent, "easy::ws_send");
}

std::optional<easy::ws_chunk> easy::ws_recv(std::span<char> buffer) {
    std::size_t received = 0;
    const handle_call handle(here("easy::ws_recv"));
    decltype(curl_ws_meta(nullptr)) frame = nullptr; // const since libcurl 8.0
    const auto code = curl_ws_recv(handle, buffer.data(), buffer.size(), &received, &frame);
    if (!unless_again(code, received, "easy::ws_recv"))
        return std::nullopt;
    return ws_chunk{received, frame != nullptr ? *frame : curl_ws_frame{}};
}

std::optional<curl_ws_frame> easy::ws_meta() const {
    const auto* const frame = curl_ws_meta(here("easy::ws_meta").handle());
    return frame != nullptr ? std::optional(*frame) : std::nullopt;
}

} // namespace curlicue
