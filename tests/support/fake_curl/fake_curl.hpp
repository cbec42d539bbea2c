// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace curlicue::test {

enum class fake_call { add, remove, socket_action, info_read, pause, cleanup };

/// What a CURLM* of the fake points at. Its members are for scripts: they do what libcurl does
/// while one of its calls is on the stack.
class fake_multi {
public:
    /// Tells the socket callback; the `socketp` that comes with it, and the easy where none is
    /// named, may not be touched.
    void announce(curl_socket_t socket, int what, CURL* by = nullptr);
    /// Tells the timer callback.
    void set_timer(long timeout_ms);
    /// Queues the message that a transfer is over.
    void complete(CURL* easy, CURLcode code = CURLE_OK);
    void complete_all(CURLcode code = CURLE_OK);
    /// Tells the notification callback, whether it is enabled or not.
    void notify(unsigned notification, CURL* easy);

    std::vector<CURL*> easies; ///< that are added, in their order
    std::map<CURLMoption, curl_off_t> numbers;
    std::set<unsigned> notifications; ///< that are enabled

    curl_socket_callback socket_function = nullptr;
    void* socket_data = nullptr;
    curl_multi_timer_callback timer_function = nullptr;
    void* timer_data = nullptr;
    void (*notify_function)(CURLM*, unsigned, CURL*, void*) = nullptr;
    void* notify_data = nullptr;

    std::deque<CURLMsg> messages;
    // What info_read gave; by itself, so that the address sanitizer sees who reads it too late.
    std::unique_ptr<CURLMsg> told;
    int depth = 0;       ///< calls on the stack
    bool broken = false; ///< a socket_action has failed: only its end may come
    bool stuck = false;  ///< a remove was refused: its cleanup lets the easies go
};

/// A libcurl that does what a test says. Linked into a test, it takes the place of the real
/// curl_multi_*() and of curl_easy_pause(); everything else about easies stays real.
///
/// Whatever breaks libcurl's rules fails the test: a call from inside a callback, with a handle
/// that is gone, after a failed socket_action; a callback's answer other than 0; an easy that is
/// cleaned up while it is added.
class fake_curl {
public:
    using script = std::function<void(fake_multi&, CURL*)>;

    fake_curl();
    fake_curl(const fake_curl&) = delete;
    fake_curl& operator=(const fake_curl&) = delete;
    ~fake_curl();

    // What happens inside each of these calls. A new transfer asks to be driven at once.
    script on_add = [](fake_multi& multi, CURL*) { multi.set_timer(0); };
    script on_remove;
    script on_pause;
    std::vector<int> bitmasks; ///< of the pauses, in their order
    std::function<void(fake_multi&, curl_socket_t, int mask)> on_action;
    std::function<void(fake_multi&)> on_cleanup;
    /// What curl_easy_getinfo tells of all easies instead of the truth, and what is told of each
    /// such question.
    std::map<CURLINFO, curl_off_t> infos;
    std::function<void()> on_getinfo;
    bool looks_names_up = false; ///< on threads of its own, as engines hear that are made then
    std::size_t most_multis = std::numeric_limits<std::size_t>::max(); ///< no more can be made

    /// Fails the next call of this kind, or the one after `skip` others. What happens inside it
    /// happens all the same.
    void refuse(fake_call which, CURLMcode code, std::size_t skip = 0);

    struct action {
        curl_socket_t socket;
        int mask;
        bool for_all = false; ///< a call for all transfers, curl_multi_socket_all
        friend bool operator==(const action&, const action&) = default;
    };
    std::vector<action> actions; ///< all that socket_action was told
    std::size_t calls(fake_call which) const noexcept { return calls_[index(which)]; }
    /// Whether a call is on the stack.
    bool inside() const noexcept { return depth_ != 0; }
    bool has(CURL* easy) const noexcept;
    fake_multi& multi() { return multis_.back(); }
    /// All that there are, in the order in which they were made.
    std::list<fake_multi>& all() noexcept { return multis_; }
    std::size_t multis() const noexcept { return multis_.size(); }
    std::size_t multis_made() const noexcept { return made_; }

    // The calls themselves.
    CURLM* init();
    CURLMcode add(CURLM* handle, CURL* easy);
    CURLMcode remove(CURLM* handle, CURL* easy);
    CURLMcode socket_action(CURLM* handle, action what, int* running);
    CURLMsg* info_read(CURLM* handle, int* remaining);
    CURLMcode cleanup(CURLM* handle);
    CURLcode pause(CURL* easy, int bitmask);
    fake_multi* find(CURLM* handle) noexcept;
    fake_multi* owner_of(CURL* easy) noexcept;

    static fake_curl& current();

private:
    class call;
    static std::size_t index(fake_call which) noexcept { return static_cast<std::size_t>(which); }

    std::list<fake_multi> multis_;
    std::size_t made_ = 0;
    int depth_ = 0;
    std::size_t calls_[6] = {};
    struct refusal {
        std::size_t skip;
        CURLMcode code;
    };
    std::map<fake_call, refusal> refusals_;
};

} // namespace curlicue::test
