// SPDX-License-Identifier: MIT
#pragma once

#include "callback_slots.hpp"
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/option_argument.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/future.hpp>

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;
class easy_store;
class share_core;
class shared_caches;

/// Told about every socket that an owned easy's connections open and close. Each open socket holds
/// a reference: libcurl closes connections after their easy, and even their multi, are gone.
class socket_observer : public ref_counted {
public:
    /// A descriptor that is opened twice was closed in between without a word: libcurl before 8.2
    /// closes a socket whose connect failed by close(2) alone (cf-socket.c, cf_socket_close).
    virtual void opened(curl_socket_t socket) noexcept = 0;
    /// Called before close(2), so that no watch outlives its descriptor.
    virtual void closing(curl_socket_t socket) noexcept = 0;
    /// A user's CLOSESOCKETFUNCTION threw, and no transfer is left to fail for it.
    virtual void callback_failed(std::exception_ptr exception) noexcept = 0;
};

/// What a socket may be waited for to be.
enum class ready_for { reading, writing };
/// The call that asks for that.
constexpr const char* call_for(ready_for what) noexcept {
    return what == ready_for::reading ? "easy::readable" : "easy::writable";
}

/// Whoever has an easy added: a multi, the engine of an async_multi, or `easy::perform` itself.
class attachment {
public:
    /// `easy::close()` on an added handle: remove it, its future is cancelled.
    virtual void remove(easy_core& core) = 0;
    /// `easy::pause()`: applied now, or once libcurl has returned when called inside a callback.
    virtual void pause(easy_core& core, int bitmask) = 0;
    /// An exception was kept by a callback that cannot abort its transfer; end it soon.
    virtual void callback_failed(easy_core& core) noexcept = 0;
    /// The user is about to call libcurl with the handle, and has done so: what callbacks ask for
    /// in between waits for the second. It may be the end of this object.
    virtual void enter_libcurl() noexcept {}
    virtual void leave_libcurl() noexcept {}
    /// `easy::readable()` and `writable()`. @throws usage_error{errc::no_loop} where there is none
    virtual future<void> wait_for_socket(ready_for what);

protected:
    ~attachment() = default;
};

/// What all copies of one `easy` share: the CURL*, whatever libcurl may read through it, and who
/// has it added. One core per CURL*: `borrow` of a handle that has one finds it.
class easy_core final : public ref_counted {
public:
    static intrusive_ptr<easy_core> create();
    /// One on which options are set by curl_easy_setopt: what is set is unknown to us, and nothing
    /// is set later that could take its place.
    static intrusive_ptr<easy_core> create_by_hand();
    static intrusive_ptr<easy_core> borrow(CURL* handle);
    /// The core of a handle, if it has one.
    static intrusive_ptr<easy_core> find(CURL* handle) noexcept;
    intrusive_ptr<easy_core> duplicate();

    /// From now on, until `renew`, options may be set by curl_easy_setopt. Owned easies only.
    void open_to_hand();
    /// What is set is unknown to us.
    bool set_by_hand() const noexcept { return by_hand_; }
    /// Null once closed and let go of.
    CURL* handle() const noexcept { return handle_.load(std::memory_order_relaxed); }
    bool owned() const noexcept { return owned_; }
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

    /// Which thread may use a handle that is added.
    enum class used { here, anywhere };
    /// One atomic step, on any thread: false if somebody has it already.
    bool claim(attachment& by, used where = used::here) noexcept;
    /// Another thread is to use it from now on. By whoever has claimed it.
    void hand_to(std::thread::id thread) noexcept {
        thread_.store(thread, std::memory_order_relaxed);
    }
    /// A transfer begins on this thread, until `release_claim`: after `claim`, before
    /// `curl_multi_add_handle`.
    /// @throws usage_error{errc::wrong_thread} if its share shares connections with a transfer that
    ///     runs on another
    void enter_thread();
    /// Outside libcurl, after its remove: a handle closed meanwhile is cleaned up here.
    void release_claim() noexcept;
    attachment* attached_to() const noexcept { return attached_.load(std::memory_order_acquire); }

    /// The exception a callback threw, taken away; null if none did.
    std::exception_ptr take_exception() noexcept { return std::exchange(exception_, nullptr); }
    bool has_exception() const noexcept { return exception_ != nullptr; }
    /// The first one counts.
    void keep_exception(std::exception_ptr exception) noexcept;
    /// The same, of a callback that cannot end its transfer by what it returns.
    void fail_later(std::exception_ptr exception) noexcept;

    /// How the transfer ended, for `error()`; with `failure`, what its future or `perform` throws:
    /// the exception of a callback, else a transfer_error, null for CURLE_OK.
    void set_result(CURLcode code) noexcept;
    std::exception_ptr failure(CURLcode code);
    std::string_view error() const noexcept;
    /// `errno` of what the system refused the last transfer, or the one that runs; 0: nothing. What
    /// libcurl says may be that of an earlier one, after curl_easy_reset too.
    int os_error() const noexcept;
    /// libcurl's own words about the last transfer; empty on a borrowed handle.
    std::string_view error_buffer() const noexcept { return owned_ ? error_buffer_.data() : ""; }

    /// Owned easies only, before `curl_multi_add_handle`: takes a reference; null takes it off
    /// again for connections to come. Nothing is allocated, and nothing installed on an easy whose
    /// share shares connections or whose callbacks came raw from a borrowed handle.
    void observe_sockets(socket_observer* observer);
    const intrusive_ptr<socket_observer>& observer() const noexcept { return observer_; }
    /// Whether its connections may be others' too, as far as we know.
    bool shares_connections() const noexcept;
    /// Owned easies only, before `curl_multi_add_handle`: uses `caches` until `release_claim`,
    /// unless the user has given it a share, or may have.
    void lend_caches(const intrusive_ptr<shared_caches>& caches) noexcept;
    /// Likewise: uses no connection that waits and was made before then, until `release_claim`,
    /// unless the user has a say in that.
    void pass_by_what_is_older(std::chrono::steady_clock::time_point then) noexcept;

    /// How the latest socket was opened, as `errno` has it; 0: well. libcurl does not ask where a
    /// callback opens them.
    void socket_opened(int error) noexcept;
    /// The process had no descriptor for it, or the system had none.
    bool lacks_descriptors() const noexcept;

    /// It has a progress callback, or may have one: of a borrowed handle we do not know.
    bool may_report() const noexcept {
        return !owned_ || by_hand_ || is_set(CURLOPT_XFERINFOFUNCTION) ||
               is_set(function_number(56));
    }

    /// CURLOPT_TIMEOUT or CURLOPT_TIMEOUT_MS, where the user has set one.
    std::optional<std::chrono::milliseconds> time_limit() const noexcept { return time_limit_; }
    /// Likewise, CURLOPT_CONNECTTIMEOUT or CURLOPT_CONNECTTIMEOUT_MS.
    std::optional<std::chrono::milliseconds> connect_limit() const noexcept {
        return connect_limit_;
    }

    /// Of an owned easy, the CURLOPT_CURLU that it was given as a `url`; or null.
    const url* address() const noexcept;

    /// Host and port of the CURLOPT_PROXY that an owned easy has, as `proxy_named` tells them.
    std::string_view proxy() const noexcept { return proxy_; }

    /// Where it goes when its last reference is gone.
    void set_store(intrusive_ptr<easy_store> store) noexcept;
    /// Owned easies only: CA certificates from the default bundle file, not the default directory,
    /// where the user has chosen neither.
    void prefer_ca_bundle() noexcept;
    /// Owned easies only: a receive buffer that fits one more transfer beside so many.
    void fit_buffer(std::size_t running) noexcept {
        const auto size = buffer_size_beside(running);
        if (std::exchange(buffer_size_, size) != size)
            choose_buffer_size();
    }
    /// What an engine keeps here about the server of an owned easy: gone when the user names
    /// another.
    const intrusive_ptr<ref_counted>& place() const noexcept { return place_; }
    void set_place(intrusive_ptr<ref_counted> place) noexcept { place_ = std::move(place); }

    /// @throws usage_error closed, or attached to somebody
    void require_idle(std::string_view what) const;
    void require_open(std::string_view what) const;
    /// @throws usage_error closed, or attached to another thread or process. It looks at nothing
    ///     that another thread may be freeing; where it does not throw, `attached_to` may be used.
    void require_thread(std::string_view what) const;

    void set(CURLoption option, std::nullptr_t);
    void set(CURLoption option, curl_off_t number);
    void set(CURLoption option, std::string_view terminated);
    void set(CURLoption option, slist list);
    void set(CURLoption option, bytes data);
    void set(CURLoption option, void* pointer);
    void set(CURLoption option, raw_function function);
    void set(CURLoption option, intrusive_ptr<ref_counted> callable);
    /// A stream that stands for the data of a callback: `callable` becomes its function.
    void set_stream(CURLoption data, intrusive_ptr<ref_counted> callable);
    void set(CURLoption option, const mime& parts);
    void set(CURLoption option, const share& data);
    void set(CURLoption option, const url& address);
    void set(CURLoption option, easy_core& other);
    void set(CURLoption option, const option_value& value);
    /// Was it set since the last reset, and not taken back? (BUFFERSIZE, SHARE, CAINFO, CAPATH …)
    bool is_set(CURLoption option) const noexcept;

    void reset();
    /// As a new one: with a handle of its own, since nobody knows what the old one remembers.
    /// @throws std::bad_alloc
    void renew();
    void close();
    /// In the middle of a transfer that is about to be removed: over HTTP/3, nobody is to use its
    /// connection again.
    void give_connection_up() noexcept;
    /// By whoever has claimed it: closed from now on, and cleaned up when the claim is released.
    void mark_closed() noexcept;

    callback_slots& callbacks() noexcept { return callbacks_; }

    /// What is paused, as CURLPAUSE_… bits, since the transfer began.
    int paused() const noexcept { return paused_; }
    void set_paused(int bits) noexcept { paused_ = bits; }

private:
    easy_core(CURL* handle, bool owned);
    ~easy_core() override;
    void last_reference_gone() noexcept override;

    struct kept {
        CURLoption option;
        std::shared_ptr<const void> owner;
    };

    static intrusive_ptr<easy_core> adopt(CURL* handle);
    void forget_options() noexcept;
    void forget_server() noexcept {
        place_ = nullptr;
        named_anew_ = true;
    }
    void set_defaults();
    void set_signal_defaults() noexcept;
    static long buffer_size_beside(std::size_t running) noexcept;
    void choose_buffer_size() noexcept;
    void choose_session_cache() noexcept;
    void begin_anew() noexcept;
    static int rewound_once(void* self, curl_off_t offset, int origin) noexcept;
    void return_what_was_lent() noexcept;
    long asked_os_error() const noexcept;
    void note_failure(CURLcode code) noexcept;
    void clean_up() noexcept;
    void forbid_unsound_reuse();

    void mark(CURLoption option, bool is_set) noexcept;
    void keep(CURLoption option, std::shared_ptr<const void> owner);
    void drop(CURLoption option) noexcept;
    const void* find_kept(CURLoption option) const noexcept;
    template <class Value> void tell(CURLoption option, Value value);
    template <class Value>
    void tell_and_keep(CURLoption option, Value value, std::shared_ptr<const void> owner);
    void require_kind(CURLoption option, option_kind kind) const;
    void refuse_borrowed(CURLoption option) const;
    void unset_function(CURLoption option);
    void unset_data(CURLoption option);
    void unset_object(CURLoption option);
    void set_body(CURLoption option, bytes data);
    void limit_time(CURLoption option, curl_off_t number) noexcept;
    void require_within_body(CURLoption option, curl_off_t size) const;
    void join_share(intrusive_ptr<share_core> data);
    void leave_share() noexcept;
    void apply_socket_callbacks();

    std::atomic<CURL*> handle_;
    const bool owned_;
    bool raw_callbacks_ = false; // of a borrowed handle that was duplicated: unknown to us
    bool by_hand_ = false;
    bool socket_callbacks_ = false;
    bool entered_share_ = false;
    bool forbids_reuse_ = false;
    bool named_anew_ = true; // the server, since a transfer began; or we do not hear of that
    bool prefers_ca_bundle_ = false;
    bool must_rewind_ = false; // the last transfer could not
    bool lends_rewind_ = false;
    bool wants_newer_connections_ = false;
    bool gives_connection_up_ = false;
    CURLcode result_ = CURLE_OK;
    int socket_error_ = 0;
    int os_error_ = 0;
    long os_error_before_ = 0;
    int paused_ = 0;
    std::atomic<bool> closed_{false};
    std::atomic<attachment*> attached_{nullptr};
    // Who may use it while it is added. Of its own: who has it added may be about to go.
    std::atomic<std::thread::id> thread_; // none: nobody
    std::atomic<used> used_{used::here};
    std::atomic<unsigned> process_{0};
    std::exception_ptr exception_;
    intrusive_ptr<socket_observer> observer_;
    intrusive_ptr<share_core> share_;
    intrusive_ptr<shared_caches> lent_caches_;
    intrusive_ptr<ref_counted> place_;
    intrusive_ptr<easy_store> store_;
    std::optional<std::chrono::milliseconds> time_limit_;
    std::optional<std::chrono::milliseconds> connect_limit_;
    long buffer_size_ = buffer_size_beside(0);
    curl_off_t body_size_ = -1;           // of POSTFIELDS or COPYPOSTFIELDS; -1: none
    curl_off_t announced_body_size_ = -1; // POSTFIELDSIZE, if the user set it
    callback_slots callbacks_;
    std::string proxy_;
    std::vector<kept> kept_; // a handful at most: searching beats a map
    std::bitset<512> set_;   // what the user has set, by libcurl's running number
    std::array<char, CURL_ERROR_SIZE> error_buffer_{};
};

/// No exception passes through libcurl: it is kept, and `failure` is what ends the transfer.
template <class Result, class F>
Result guarded(easy_core& core, Result failure, F&& body) noexcept {
    try {
        return body();
    } catch (...) {
        core.keep_exception(std::current_exception());
        return failure;
    }
}

} // namespace curlicue::detail
