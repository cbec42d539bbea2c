// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/detail/info_traits.hpp>
#include <curlicue/detail/intrusive_ptr.hpp>
#include <curlicue/detail/option_argument.hpp>
#include <curlicue/error.hpp>
#include <curlicue/option.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace curlicue {

template <class T> class future; // of <curlicue/future.hpp>

namespace detail {
class easy_core;
struct easy_access;
enum class ready_for;
} // namespace detail

/// One transfer: a `CURL*`, and whatever libcurl reads through it while it runs.
///
/// *Ownership:* a shared handle. Copies mean the same transfer, `==` tells whether two do, the last
/// copy cleans up; whoever has it added holds a copy. One that was moved from is as one closed. A
/// callable that captures a copy of its own easy is a cycle that never dies: take `easy&` instead.
///
/// @throws (all members that throw) usage_error{errc::closed} on a closed handle;
///     std::system_error in `easy_category()`, naming the option, where libcurl refuses
/// @threading An easy that is not added may be used by one thread at a time and may die on any.
///     While added it is loop-bound: `setopt`, `reset`, `duphandle` and `perform` throw
///     usage_error{errc::attached} then.
class CURLICUE_EXPORT easy {
public:
    easy();
    /// @param url CURLOPT_URL
    explicit easy(std::string_view url);

    /// Somebody else's handle. Two borrows of one handle are equal, and a handle that an easy owns
    /// is that easy. Nothing is set on it unasked; options that libcurl copies may be set,
    /// callables, lists and uncopied bodies are usage_error{errc::borrowed}. *Ownership:* the
    /// caller's. It must not clean up, reset or remove the handle while it is added.
    /// @throws usage_error{errc::null_handle}
    static easy borrow(CURL* handle);

    easy(const easy&) noexcept;
    easy(easy&&) noexcept;
    easy& operator=(const easy&) noexcept;
    easy& operator=(easy&&) noexcept;
    ~easy();

    /// Sets an option, `curl_easy_setopt`. A wrong type does not compile, and the message says what
    /// the option wants.
    ///
    /// Strings and blobs are copied by libcurl. Lists, bodies, callables, `mime`, `share` and `url`
    /// are kept by the handle until they are replaced, unset, or the handle is closed. Streams and
    /// strings given to WRITEDATA, HEADERDATA and READDATA (`std::istream&`) are the caller's and
    /// must outlive the transfer. Durations are converted to the option's unit, rounded up.
    /// POSTFIELDS and COPYPOSTFIELDS take their length along, unless POSTFIELDSIZE was set.
    /// XFERINFOFUNCTION switches NOPROGRESS off.
    ///
    /// Callables, each of which may take an `easy&` before the rest: WRITE and INTERLEAVE
    /// `size_t(span<const char>)`, HEADER `size_t(string_view)`, READ `size_t(span<char>)`, SEEK
    /// `int(curl_off_t, int origin)`, XFERINFO `int(curl_off_t dltotal, dlnow, ultotal, ulnow)`,
    /// DEBUG `void(curl_infotype, span<const char>)`, PREREQ `int(string_view primary_ip, local_ip,
    /// int primary_port, local_port)`, SOCKOPT `int(curl_socket_t, curlsocktype)`, OPENSOCKET
    /// `curl_socket_t(curlsocktype, curl_sockaddr&)`, CLOSESOCKET `int(curl_socket_t)`, TRAILER
    /// `vector<string>()`, HSTSREAD `optional<hsts_entry>()`. Those of the others are told by the
    /// message of a wrong one, and stand in detail/callbacks.hpp.
    /// A callable may throw: that ends the transfer, and the exception is what `perform` throws and
    /// the future holds. C callbacks of libcurl's own types, with a pointer for their data, work
    /// too.
    /// @throws usage_error{errc::embedded_nul} for a string that has one, errc::borrowed
    template <CURLoption Option, class Value> easy& setopt(Value&& value);
    /// Lists: `setopt<CURLOPT_HTTPHEADER>({"Accept: text/plain", "X-Answer: 42"})`.
    template <CURLoption Option> easy& setopt(std::initializer_list<std::string_view> list);
    /// Takes an option back to libcurl's own default and releases what was kept for it.
    template <CURLoption Option> easy& unset() { return setopt<Option>(nullptr); }
    /// The run-time door.
    /// @throws std::system_error{CURLE_UNKNOWN_OPTION}, {CURLE_BAD_FUNCTION_ARGUMENT} for a value
    /// of
    ///     the wrong type; std::invalid_argument for ERRORBUFFER, which is ours
    easy& setopt(CURLoption option, const option_value& value);

    /// What `curl_easy_getinfo` tells: long, double, curl_off_t, curl_socket_t; strings as
    /// `std::optional<std::string_view>`, valid until the handle is used again; the *_TIME_T as
    /// `std::chrono::microseconds`, RETRY_AFTER as seconds; lists as vectors of strings, CERTINFO
    /// as a vector of those; TLS_SSL_PTR as `curl_tlssessioninfo`; PRIVATE as `void*`.
    /// @threading loop-bound while added
    template <CURLINFO Info> auto getinfo() const {
        detail::info_t<Info> value{};
        get(Info, value);
        return value;
    }

    /// A new, owned easy with the same options. It shares the callables, bodies and lists with the
    /// original, and what takes `easy&` gets the copy. Of a borrowed handle: with the original's
    /// raw pointers, whose lifetime is the caller's affair.
    /// @throws usage_error{errc::attached}
    easy duphandle() const;
    /// All options back to their defaults, releasing what was kept for them. As with
    /// `curl_easy_reset`, connections, cookies and the share stay.
    void reset();
    /// Transfers now, blocking, without a multi.
    /// @throws transfer_error, or what a callback threw
    void perform();
    /// What a transfer does: it sends and it receives.
    enum class direction { receive = CURLPAUSE_RECV, send = CURLPAUSE_SEND, both = CURLPAUSE_ALL };
    /// Holds one back, or lets it go on, and leaves the other as it is. A callable that returns
    /// CURL_WRITEFUNC_PAUSE or CURL_READFUNC_PAUSE has paused its own; of C callbacks that do so,
    /// and of a borrowed handle, we do not hear. Nothing where no transfer is running (any more).
    /// @threading loop-bound; allowed inside callbacks
    void pause(direction which) const;
    void unpause(direction which = direction::both) const;
    /// Both at once, as `curl_easy_pause`: CURLPAUSE_RECV, _SEND, _ALL or _CONT.
    void pause(int bitmask) const;
    /// Cleans up now, for all copies. An added handle is removed first. Idempotent.
    /// @throws usage_error{errc::inside_callback} inside a callback of its own `perform`
    void close();
    bool closed() const noexcept;

    /// Raw data over the connection of a CONNECT_ONLY transfer.
    /// @returns how many bytes went, or none: not now, wait for `writable`
    std::optional<std::size_t> send(std::string_view data);
    /// @returns how many bytes came, 0 at the end of the stream, or none: not now, wait for
    ///     `readable`
    std::optional<std::size_t> recv(std::span<char> buffer);
    /// Ready when the connection of a CONNECT_ONLY transfer has something to read, or room to
    /// write, and when it is at its end or broken, as `recv`, `send` and their `ws_` kin then tell.
    /// Wait when those have given none, since they may have more than the socket. Each is for once,
    /// and holds the loop as a transfer does; it is cancelled when the easy is removed. While an
    /// easy is added that was ever waited for, it has a second descriptor. A watch of your own on
    /// CURLINFO_ACTIVESOCKET, which nothing of ours watches, must end before the easy is removed.
    /// @throws usage_error: not_added; attached, if its future is not ready yet or it does not only
    ///     connect; no_loop, if it is not added to an `async_multi`; wrong_thread.
    ///     std::system_error without a descriptor
    /// @threading loop-bound
    future<void> readable() const;
    future<void> writable() const;
    /// Sends what keeps idle connections alive (HTTP/2 PING).
    void upkeep();

    /// A response header, or null. `request` counts redirects and the like from 0, -1 is the last.
    /// Valid until the handle is used again.
    const curl_header* header(const std::string& name, std::size_t index = 0,
                              unsigned origin = CURLH_HEADER, int request = -1) const;
    /// Iterates: null begins, and null is the end.
    const curl_header* nextheader(const curl_header* previous = nullptr,
                                  unsigned origin = CURLH_HEADER, int request = -1) const;

    /// WebSocket frames, after a CONNECT_ONLY transfer with the value 2. Nothing is read, and no
    /// PING answered, but in these calls.
    /// @param flags CURLWS_TEXT and the like
    /// @param fragment_size of the whole fragment, with CURLWS_OFFSET
    /// @returns how many bytes went, or none: not now
    std::optional<std::size_t> ws_send(std::string_view data, unsigned flags,
                                       curl_off_t fragment_size = 0);
    struct ws_chunk {
        std::size_t size;
        curl_ws_frame frame;
    };
    /// @returns none: nothing now
    std::optional<ws_chunk> ws_recv(std::span<char> buffer);
    /// The frame whose data the write callback is being given, if it is one.
    std::optional<curl_ws_frame> ws_meta() const;

    /// Added to a multi, or performing.
    bool attached() const noexcept;
    /// What went wrong last, in libcurl's own words; empty after a success.
    std::string_view error() const noexcept;
    /// Null once closed. *Ownership:* stays here. Set options by `setopt`: one that
    /// curl_easy_setopt sets is not seen here, and what an `async_multi` lends (CURLOPT_SHARE) may
    /// take its place.
    CURL* native_handle() const noexcept;

    friend bool operator==(const easy&, const easy&) noexcept = default;

private:
    friend struct detail::easy_access;
    friend struct std::hash<easy>;
    explicit easy(detail::intrusive_ptr<detail::easy_core> core) noexcept;

    /// The core, if it is open and nobody has it added; if it is open and this is its thread.
    detail::easy_core& idle(const char* what) const;
    detail::easy_core& here(const char* what) const;
    future<void> when_ready(detail::ready_for what) const;

    void set(CURLoption option, std::nullptr_t);
    void set(CURLoption option, curl_off_t number);
    void set(CURLoption option, const detail::text& text);
    void set(CURLoption option, detail::slist list);
    void set(CURLoption option, detail::bytes data);
    void set(CURLoption option, void* pointer);
    void set(CURLoption option, std::FILE* file);
    void set(CURLoption option, detail::raw_function function);
    void set(CURLoption option, detail::intrusive_ptr<detail::ref_counted> callable);
    void set(CURLoption option, const mime& parts);
    void set(CURLoption option, const share& data);
    void set(CURLoption option, const url& address);
    void set(CURLoption option, const easy& other);
    void append_to(CURLoption option, std::string& target);
    void append_to(CURLoption option, std::ostream& target);
    void read_from(std::istream& source);
    void read_from(std::string body);

    template <CURLoption Option, class Value> void set_text(Value&& value);
    template <CURLoption Option, class Value> void set_object(Value&& value);
    template <CURLoption Option, class Value> void set_data(Value&& value);
    template <CURLoption Option, class Value> void set_function(Value&& value);

    template <class Plain> void get(CURLINFO info, Plain& value) const { read(info, &value); }
    void get(CURLINFO info, std::optional<std::string_view>& value) const;
    void get(CURLINFO info, std::chrono::seconds& value) const;
    void get(CURLINFO info, std::chrono::microseconds& value) const;
    void get(CURLINFO info, std::vector<std::string>& value) const;
    void get(CURLINFO info, std::vector<std::vector<std::string>>& value) const;
    void get(CURLINFO info, curl_tlssessioninfo& value) const;
    void read(CURLINFO info, void* value) const;

    detail::intrusive_ptr<detail::easy_core> core_;
};

} // namespace curlicue

template <> struct std::is_error_code_enum<CURLcode> : std::true_type {};
/// In the namespace of libcurl's type, which is where argument-dependent look-up finds it.
inline std::error_code make_error_code(CURLcode code) noexcept {
    return {static_cast<int>(code), curlicue::easy_category()};
}
/// Whatever the system's reason was.
inline bool operator==(const std::error_code& one, CURLcode other) noexcept {
    return one.value() == static_cast<int>(other) && curlicue::is_easy_error(one);
}
template <> struct std::hash<curlicue::easy> {
    std::size_t operator()(const curlicue::easy& handle) const noexcept {
        return std::hash<const void*>()(handle.core_.get());
    }
};

#include <curlicue/detail/easy_setopt.hpp>
