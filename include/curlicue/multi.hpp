// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/multi_option.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/unique_function.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <curl/curl.h>

namespace curlicue {

namespace detail {
class multi_core;
} // namespace detail

/// CURLMOPT_SOCKETFUNCTION: watch this socket for `what` (CURL_POLL_…). The easy is null where the
/// socket serves a handle of libcurl's own; `socketp` is what `assign` gave the socket. Return 0:
/// -1 makes libcurl give up every transfer of the multi, and crash in some versions (7.88 to 8.14).
using multi_socket_function =
    unique_function<int(const easy*, curl_socket_t socket, int what, void* socketp)>;

/// CURLMOPT_TIMERFUNCTION: call `socket_action(CURL_SOCKET_TIMEOUT, 0)` after this time; none: stop
/// the timer. Return 0; -1 is as dangerous as above.
using multi_timer_function = unique_function<int(std::optional<std::chrono::milliseconds>)>;

/// CURLMOPT_NOTIFYFUNCTION, libcurl >= 8.17: a CURLMNOTIFY_… that `notify_enable` asked for. A hint
/// only: go on reading `info_read`. The easy is null for a handle of libcurl's own.
using multi_notify_function = unique_function<void(unsigned notification, const easy*)>;

/// What the run-time form of `multi::setopt` takes.
using multi_option_value =
    std::variant<std::nullptr_t, curl_off_t, std::vector<std::string>, multi_socket_function,
                 multi_timer_function, multi_notify_function>;

struct multi_options {
    /// `close` and the destructor close the easies that are added, instead of only removing them.
    bool close_handles = false;
};

/// Descriptors for select(2) and its like.
struct fd_sets {
    std::vector<curl_socket_t> read;
    std::vector<curl_socket_t> write;
    std::vector<curl_socket_t> except;
};

/// A transfer that went wrong, as `multi::info_read` tells it.
struct failed_transfer {
    easy handle;
    CURLcode code; ///< CURLE_ABORTED_BY_CALLBACK where only a callable's exception ended it
    std::string message;
    std::exception_ptr exception; ///< what a callable of the easy threw; null if none did
};

/// Finished transfers.
struct info_batch {
    std::size_t remaining = 0; ///< how many more wait to be read
    std::vector<easy> succeeded;
    std::vector<failed_transfer> failed;
};

/// Many transfers at once, driven by hand: libcurl's multi handle, without any loop. Drive it with
/// `perform` and `poll` (or `fdset`, or `select`), or let it tell its sockets and timer to the
/// callables given to `setopt` and answer with `socket_action`.
///
/// *Ownership:* an easy is kept alive while it is added, also after its transfer is over, until
/// `remove_handle` or `close`. Multi and easies may be destroyed in any order, at any time; from
/// inside a callback the multi ends when the outer call has returned.
///
/// *Exceptions* that the socket, timer and notify callables throw leave the outermost call made
/// here once libcurl has returned; what that call did is done, except an `add_handle`. Exceptions
/// of an easy's callables end its transfer and are told by `info_read`.
///
/// Every member but `contains`, `closed`, `native_handle`, `assign`, `unassign`, `notify_enable`,
/// `notify_disable`, `wakeup` and the destructor throws `usage_error{errc::inside_callback}` inside
/// a callback, and every member but `close`, `closed`, `contains` and `native_handle` throws
/// `usage_error{errc::closed}` on a closed multi. Where libcurl itself refuses,
/// `multi_error` names the call. After any of these nothing has changed.
///
/// @threading one thread at a time, which may change; `wakeup` is thread-safe
class CURLICUE_EXPORT multi {
public:
    /// @throws std::bad_alloc
    explicit multi(multi_options options = {});
    multi(multi&& other) noexcept; ///< leaves `other` closed
    multi& operator=(multi&& other) noexcept;
    /// As `close`, but tells the socket, timer and notify callables nothing.
    ~multi();

    /// Does what can be done now. @returns how many transfers still run
    int perform();

    /// Starts a transfer with the next `perform` or `socket_action`.
    /// @throws usage_error{errc::already_added} if the easy is added here or elsewhere, or inside
    ///     its own `perform`; usage_error{errc::closed} if it is closed; multi_error if libcurl
    ///     refuses it, or the timer callable returns -1 meanwhile
    void add_handle(easy handle);
    /// Ends the transfer, wherever it is; what `info_read` has not told of it is withdrawn. In the
    /// middle of a mail, or of a file over SFTP or SCP, libcurl waits here for the server's answer,
    /// and 7.88 sends the part of the mail as a whole one: an `async_multi` sees to both.
    /// @throws usage_error{errc::not_added}
    void remove_handle(const easy& handle);
    /// Whether the easy is added here, its transfer over or not.
    bool contains(const easy& handle) const noexcept;

    /// What to wait for before the next `perform`. libcurl leaves descriptors from FD_SETSIZE on
    /// (1024 with glibc) out; `poll` and `setopt<CURLMOPT_SOCKETFUNCTION>` know no such limit.
    fd_sets fdset() const;
    /// Waits for those descriptors with select(2): not less than 0 ms; a signal ends it as the
    /// time does. libcurl's own `timeout` is not heeded.
    /// @returns how many are ready, 0 when the time is over, -1 if there are none to wait for
    /// @throws std::system_error if select(2) fails
    int select(std::chrono::milliseconds timeout);
    /// Waits for libcurl's descriptors and yours, a `wakeup`, libcurl's own `timeout` or this one.
    /// @param timeout not less than 0 ms
    /// @param extra descriptors of yours; `revents` tells which are ready
    /// @returns how many descriptors are ready, yours included
    int poll(std::chrono::milliseconds timeout, std::span<curl_waitfd> extra = {});
    /// Ends the `poll` that runs in another thread, or the next one.
    /// @threading thread-safe, but not against moving, closing or destroying the multi
    void wakeup();

    static constexpr std::size_t npos = std::numeric_limits<std::size_t>::max();
    /// The transfers that are over, in the order they ended. Each is told once; those beyond `max`
    /// wait for the next call. Their easies stay added. Allowed inside the notify callable.
    info_batch info_read(std::size_t max = npos);

    /// When libcurl wants to be called again at the latest; none: it waits for no time.
    std::optional<std::chrono::milliseconds> timeout() const;
    /// @param socket one that is ready, or CURL_SOCKET_TIMEOUT
    /// @param ev_bitmask CURL_CSELECT_… bits, 0: let libcurl find out. CURL_CSELECT_ERR alone makes
    ///     libcurl drop what is still to be read.
    /// @returns how many transfers still run
    int socket_action(curl_socket_t socket, int ev_bitmask);
    /// As `socket_action` for every socket; libcurl discourages it. @returns as `socket_action`
    int socket_all();

    /// Integers for the options that take numbers, `std::vector<std::string>` for the two block
    /// lists (which libcurl >= 7.62 ignores), a callable for SOCKETFUNCTION, TIMERFUNCTION and
    /// NOTIFYFUNCTION. nullptr takes a callable or list back. Server push is not offered:
    /// CVE-2026-18924.
    /// @throws multi_error if this libcurl does not know the option or refuses the value
    template <CURLMoption Option, class V> void setopt(V&& value);
    /// The same for an option that is known at run time only.
    /// @throws std::invalid_argument if the option takes another kind of value, or is not the
    ///     user's to set
    void setopt(CURLMoption option, multi_option_value value);

    /// Gives a socket a pointer for its socket callable. *Ownership:* stays with the caller.
    /// @throws multi_error if libcurl does not use that socket
    void assign(curl_socket_t socket, void* socketp);
    void unassign(curl_socket_t socket);

    /// Switches CURLMNOTIFY_… on or off, from left to right; a refused one stops there.
    /// @throws usage_error{errc::too_old} below libcurl 8.17; multi_error for an unknown one
    template <std::convertible_to<unsigned>... Notifications>
        requires(sizeof...(Notifications) > 0)
    void notify_enable(Notifications... notifications) {
        (switch_notification(static_cast<unsigned>(notifications), true), ...);
    }
    template <std::convertible_to<unsigned>... Notifications>
        requires(sizeof...(Notifications) > 0)
    void notify_disable(Notifications... notifications) {
        (switch_notification(static_cast<unsigned>(notifications), false), ...);
    }

    /// Removes the easies (and closes them, with `close_handles`), then lets libcurl close its
    /// connections and drops the callables. Idempotent. To servers of FTP, mail and SFTP libcurl
    /// says goodbye and waits for the answer, one connection after the other.
    void close();
    bool closed() const noexcept;
    /// Null when closed. *Ownership:* stays here; add and remove handles by this class only.
    CURLM* native_handle() const noexcept;

private:
    detail::multi_core& core(const char* call) const;
    detail::multi_core& core_outside(const char* call) const;
    void switch_notification(unsigned notification, bool on);

    detail::intrusive_ptr<detail::multi_core> core_;
};

namespace detail {

/// The alternative of `multi_option_value` that a kind of option takes.
template <multi_option_kind> struct multi_option_type { using type = void; };
template <> struct multi_option_type<multi_option_kind::number> { using type = curl_off_t; };
template <> struct multi_option_type<multi_option_kind::list> {
    using type = std::vector<std::string>;
};
template <> struct multi_option_type<multi_option_kind::socket_function> {
    using type = multi_socket_function;
};
template <> struct multi_option_type<multi_option_kind::timer_function> {
    using type = multi_timer_function;
};
template <> struct multi_option_type<multi_option_kind::notify_function> {
    using type = multi_notify_function;
};

template <multi_option_kind Kind, class V> consteval bool multi_option_takes() {
    using enum multi_option_kind;
    using type = typename multi_option_type<Kind>::type;
    constexpr bool fits = Kind == number
                              ? std::is_integral_v<V> || std::is_enum_v<V>
                              : std::is_constructible_v<type, V> || std::is_null_pointer_v<V>;
    static_assert(Kind != number || fits, "this multi option takes an integer or a bool");
    static_assert(Kind != list || fits,
                  "this multi option takes a std::vector<std::string> or nullptr");
    static_assert(Kind != socket_function || fits,
                  "CURLMOPT_SOCKETFUNCTION takes a callable int(const curlicue::easy*, "
                  "curl_socket_t, int what, void* socketp) or nullptr");
    static_assert(Kind != timer_function || fits,
                  "CURLMOPT_TIMERFUNCTION takes a callable "
                  "int(std::optional<std::chrono::milliseconds>) or nullptr");
    static_assert(Kind != notify_function || fits,
                  "CURLMOPT_NOTIFYFUNCTION takes a callable void(unsigned notification, const "
                  "curlicue::easy*) or nullptr");
    static_assert(Kind != owned, "this multi option is not the user's: give the callable for "
                                 "sockets, timer or notifications; server push is not offered");
    static_assert(Kind != unknown, "no such multi option");
    return fits;
}

} // namespace detail

template <CURLMoption Option, class V> void multi::setopt(V&& value) {
    constexpr auto kind = detail::kind_of(Option);
    if constexpr (!detail::multi_option_takes<kind, std::remove_cvref_t<V>>())
        return; // one error is enough
    else if constexpr (std::is_null_pointer_v<std::remove_cvref_t<V>>)
        setopt(Option, nullptr);
    else
        setopt(Option, multi_option_value(
                           std::in_place_type<typename detail::multi_option_type<kind>::type>,
                           std::forward<V>(value)));
}

} // namespace curlicue
