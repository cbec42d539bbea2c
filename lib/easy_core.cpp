// SPDX-License-Identifier: MIT
#include "easy_core.hpp"

#include "built_mime.hpp"
#include "easy_store.hpp"
#include "global.hpp"
#include "known_faults.hpp"
#include "process.hpp"
#include "refusal.hpp"
#include "share_core.hpp"
#include "shared_caches.hpp"
#include <curlicue/error.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>

namespace curlicue::detail {
namespace {

/// Weak: who looks a core up must win a reference from it.
class core_registry {
public:
    static core_registry& instance() noexcept {
        // Never destroyed, as easies may die during static destruction; and in a place that is
        // always there, as those must leave for which there was no memory to enter.
        alignas(core_registry) static std::array<std::byte, sizeof(core_registry)> place;
        static auto* const registry = new (place.data()) core_registry;
        return *registry;
    }

    /// A core that is there already belongs to a handle that was cleaned up elsewhere, at an
    /// address that was given out again.
    void enter(easy_core& core) {
        const std::lock_guard lock(mutex_);
        cores_[core.handle()] = &core;
    }
    void leave(const easy_core& core) noexcept {
        const std::lock_guard lock(mutex_);
        const auto found = cores_.find(core.handle());
        if (found != cores_.end() && found->second == &core)
            cores_.erase(found);
    }
    intrusive_ptr<easy_core> find(CURL* handle) noexcept {
        const std::lock_guard lock(mutex_);
        return find_locked(handle);
    }
    template <class Make> intrusive_ptr<easy_core> find_or(CURL* handle, Make make) {
        intrusive_ptr<easy_core> core; // without memory for its entry it goes, which takes the lock
        const std::lock_guard lock(mutex_);
        core = find_locked(handle);
        if (!core) {
            core = make();
            cores_[handle] = core.get();
        }
        return core;
    }

private:
    intrusive_ptr<easy_core> find_locked(CURL* handle) noexcept {
        const auto found = cores_.find(handle);
        const bool alive = found != cores_.end() && found->second->try_retain();
        return alive ? intrusive_ptr<easy_core>::adopt(found->second) : nullptr;
    }

    fork_mutex mutex_;
    std::unordered_map<CURL*, easy_core*> cores_;
};

} // namespace

future<void> attachment::wait_for_socket(ready_for what) {
    throw usage_error(errc::no_loop, call_for(what));
}

easy_core::easy_core(CURL* handle, bool owned) : handle_(handle), owned_(owned) {}
easy_core::~easy_core() = default;

intrusive_ptr<easy_core> easy_core::create() {
    global_init();
    auto core = adopt(curl_easy_init());
    core->set_defaults();
    return core;
}

intrusive_ptr<easy_core> easy_core::create_by_hand() {
    auto core = create();
    curl_easy_setopt(core->handle_, CURLOPT_BUFFERSIZE, long{CURL_MAX_WRITE_SIZE}); // libcurl's own
    core->open_to_hand();
    return core;
}

void easy_core::open_to_hand() {
    by_hand_ = true;
    apply_socket_callbacks();
}

intrusive_ptr<easy_core> easy_core::adopt(CURL* handle) {
    if (handle == nullptr)
        throw std::bad_alloc();
    std::unique_ptr<CURL, void (*)(CURL*)> guard(handle, &curl_easy_cleanup);
    auto core = intrusive_ptr<easy_core>::adopt(new easy_core(handle, true));
    static_cast<void>(guard.release());
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, core->error_buffer_.data());
    core_registry::instance().enter(*core);
    return core;
}

intrusive_ptr<easy_core> easy_core::borrow(CURL* handle) {
    if (handle == nullptr)
        throw usage_error(errc::null_handle, "easy::borrow");
    return core_registry::instance().find_or(
        handle, [&] { return intrusive_ptr<easy_core>::adopt(new easy_core(handle, false)); });
}

intrusive_ptr<easy_core> easy_core::find(CURL* handle) noexcept {
    return core_registry::instance().find(handle);
}

/// libcurl copies the options, pointers as pointers: lists and bodies are then held by both cores,
/// and only what leads back to the handle has to be made or told anew.
intrusive_ptr<easy_core> easy_core::duplicate() {
    auto copy = adopt(curl_easy_duphandle(handle_));
    copy->by_hand_ = by_hand_ || !owned_;
    if (!owned_)
        copy->set_signal_defaults(); // all else is as its owner has set it
    if (has_exception())             // curl_easy_duphandle runs HSTSREADFUNCTION (easy.c)
        std::rethrow_exception(take_exception());
    copy->raw_callbacks_ = raw_callbacks_ || !owned_;
    copy->buffer_size_ = buffer_size_;
    copy->set_ = set_;
    copy->time_limit_ = time_limit_;
    copy->forbids_reuse_ = forbids_reuse_;
    copy->connect_limit_ = connect_limit_;
    copy->body_size_ = body_size_;
    copy->announced_body_size_ = announced_body_size_;
    copy->kept_ = kept_;
    copy->proxy_ = proxy_;
    copy->callbacks_ = callbacks_;
    copy->callbacks_.rebind(*copy);
    copy->socket_callbacks_ = socket_callbacks_;
    copy->apply_socket_callbacks();
    copy->join_share(share_); // a duphandle has none (curl_easy_duphandle(3))
    if (const auto* const parts = static_cast<const built_mime*>(find_kept(CURLOPT_MIMEPOST)))
        copy->set(CURLOPT_MIMEPOST, parts->description());
    return copy;
}

/// curl_easy_cleanup still runs callbacks (HSTSWRITE, DEBUG, CLOSESOCKET) that may ask for an easy
/// of ours: a reference of our own keeps them from bringing a dying core back to life.
[[gnu::noinline]] void easy_core::last_reference_gone() noexcept {
    if (const auto store = std::exchange(store_, nullptr))
        return store->take_back(*this);
    if (handle_ == nullptr) {
        delete this;
        return;
    }
    core_registry::instance().leave(*this);
    retain();
    clean_up();
    release();
}

void easy_core::set_store(intrusive_ptr<easy_store> store) noexcept { store_ = std::move(store); }

bool easy_core::claim(attachment& by, used where) noexcept {
    attachment* nobody = nullptr;
    if (!attached_.compare_exchange_strong(nobody, &by, std::memory_order_acq_rel))
        return false;
    process_.store(process_mark::here(), std::memory_order_relaxed);
    used_.store(where, std::memory_order_relaxed);
    hand_to(std::this_thread::get_id());
    exception_ = nullptr;
    socket_error_ = os_error_ = paused_ = 0;
    if (has(fault::keeps_os_error))
        os_error_before_ = asked_os_error();
    error_buffer_.front() = '\0';
    return true;
}

void easy_core::socket_opened(int error) noexcept { socket_error_ = error; }

void easy_core::set_result(CURLcode code) noexcept {
    result_ = code;
    if (code != CURLE_OK)
        note_failure(code);
}

[[gnu::noinline]] void easy_core::note_failure(CURLcode code) noexcept {
    must_rewind_ = code == CURLE_SEND_FAIL_REWIND;
    const auto now = asked_os_error();
    // The same again can be an old one, unless libcurl always says of such a failure.
    if (now != os_error_before_ || code == CURLE_COULDNT_CONNECT)
        os_error_ = static_cast<int>(now);
    if (code != CURLE_COULDNT_CONNECT || socket_error_ == 0)
        return;
    os_error_ = socket_error_;
    static_cast<void>(std::snprintf(error_buffer_.data(), error_buffer_.size(), "No socket: %s",
                                    std::strerror(socket_error_)));
}

long easy_core::asked_os_error() const noexcept {
    long number = 0;
    curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &number);
    return number;
}

int easy_core::os_error() const noexcept {
    if (attached_to() == nullptr || os_error_ != 0)
        return os_error_;
    const auto now = asked_os_error();
    return now != os_error_before_ ? static_cast<int>(now) : 0;
}

bool easy_core::lacks_descriptors() const noexcept {
    return socket_error_ == EMFILE || socket_error_ == ENFILE;
}

void easy_core::enter_thread() {
    if (owned_ && named_anew_ && has(fault::mixes_up_ldaps))
        forbid_unsound_reuse();
    if (share_) {
        share_->enter_thread();
        entered_share_ = true;
    }
    if (must_rewind_) [[unlikely]]
        begin_anew();
}

void easy_core::release_claim() noexcept {
    if (lent_caches_ || lends_rewind_ || gives_connection_up_ || wants_newer_connections_)
        return_what_was_lent();
    if (std::exchange(entered_share_, false))
        share_->leave_thread();
    const bool was_closed = closed(); // afterwards somebody else may close it
    used_.store(used::here, std::memory_order_relaxed);
    hand_to({});
    attached_.store(nullptr, std::memory_order_release);
    if (was_closed)
        clean_up();
}

void easy_core::keep_exception(std::exception_ptr exception) noexcept {
    if (!exception_)
        exception_ = std::move(exception);
}

void easy_core::fail_later(std::exception_ptr exception) noexcept {
    keep_exception(std::move(exception));
    if (auto* const by = attached_to())
        by->callback_failed(*this);
}

std::exception_ptr easy_core::failure(CURLcode code) {
    set_result(code);
    if (has_exception())
        return take_exception();
    if (code == CURLE_OK)
        return nullptr;
    auto handle = easy_access::wrap(this);
    return std::make_exception_ptr(
        transfer_error(code, std::string(error_buffer()), handle, os_error_));
}

std::string_view easy_core::error() const noexcept {
    if (owned_ && error_buffer_.front() != '\0')
        return error_buffer_.data();
    return result_ == CURLE_OK ? "" : curl_easy_strerror(result_);
}

void easy_core::require_open(std::string_view what) const {
    if (closed())
        throw usage_error(errc::closed, what);
}

void easy_core::require_idle(std::string_view what) const {
    require_open(what);
    if (attached_to() != nullptr)
        throw usage_error(errc::attached, what);
}

void easy_core::require_thread(std::string_view what) const {
    require_open(what);
    if (attached_to() == nullptr)
        return;
    if (process_.load(std::memory_order_relaxed) != process_mark::here())
        throw usage_error(errc::forked, what);
    if (used_.load(std::memory_order_relaxed) == used::here &&
        thread_.load(std::memory_order_relaxed) != std::this_thread::get_id())
        throw usage_error(errc::wrong_thread, what);
}

/// First libcurl forgets, then we let go of what it read through the handle.
[[gnu::noinline]] void easy_core::clean_up() noexcept {
    closed_.store(true, std::memory_order_release);
    CURL* const cleaned = handle();
    if (owned_)
        curl_easy_cleanup(cleaned);
    handle_ = nullptr;
    callbacks_.clear();
    kept_.clear();
    observer_ = nullptr;
    leave_share();
}

void easy_core::close() {
    if (closed())
        return;
    require_thread("easy::close");
    if (auto* const by = attached_to())
        by->remove(*this);
    mark_closed();
    if (attached_to() == nullptr)
        clean_up();
}

void easy_core::mark_closed() noexcept {
    core_registry::instance().leave(*this);
    closed_.store(true, std::memory_order_release);
}

void easy_core::reset() {
    const bool shared = is_set(CURLOPT_SHARE); // stays with the handle (curl_easy_reset(3))
    by_hand_ = by_hand_ && !raw_callbacks_;    // what it was duplicated with is gone
    curl_easy_reset(handle_);
    forget_options();
    mark(CURLOPT_SHARE, shared);
    if (owned_)
        set_defaults();
    apply_socket_callbacks();
}

void easy_core::forget_options() noexcept {
    callbacks_.clear();
    kept_.clear();
    proxy_.clear();
    set_.reset();
    forget_server();
    time_limit_.reset();
    prefers_ca_bundle_ = forbids_reuse_ = false;
    connect_limit_.reset();
    body_size_ = announced_body_size_ = -1;
    result_ = CURLE_OK;
    os_error_ = 0;
    error_buffer_.front() = '\0';
    raw_callbacks_ = socket_callbacks_ = false;
}

/// The old handle goes as in `clean_up`, with callbacks that may look at this one.
void easy_core::renew() {
    std::unique_ptr<CURL, void (*)(CURL*)> fresh(curl_easy_init(), &curl_easy_cleanup);
    if (!fresh)
        throw std::bad_alloc();
    core_registry::instance().leave(*this);
    curl_easy_cleanup(handle_.exchange(nullptr));
    handle_ = fresh.release();
    leave_share();
    observer_ = nullptr;
    exception_ = nullptr;
    must_rewind_ = by_hand_ = false;
    forget_options();
    set_defaults();
    core_registry::instance().enter(*this);
}

} // namespace curlicue::detail
