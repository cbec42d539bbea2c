// SPDX-License-Identifier: MIT
#include "callback_slots.hpp"

#include "easy_core.hpp"
#include "refusal.hpp"

#include <algorithm>
#include <cstdio>
#include <new>

namespace curlicue::detail {
namespace {

template <class Value>
auto* find_in(std::vector<std::pair<CURLoption, Value>>& values, CURLoption option) noexcept {
    const auto found = std::ranges::find(values, option, &std::pair<CURLoption, Value>::first);
    return found == values.end() ? nullptr : &found->second;
}

template <class Value>
void store(std::vector<std::pair<CURLoption, Value>>& values, CURLoption option, Value value) {
    if (auto* const known = find_in(values, option))
        *known = value;
    else
        values.emplace_back(option, value);
}

template <class Value>
void erase_from(std::vector<std::pair<CURLoption, Value>>& values, CURLoption option) noexcept {
    std::erase_if(values, [&](const auto& value) { return value.first == option; });
}

CURLoption data_of(CURLoption function) noexcept {
    return function_options[slot_of(function)].data;
}

/// A file that ends at once, and can be rewound for a redirect. libcurl's own default is the
/// standard input: the whole loop would wait for that.
std::FILE* empty_file() {
    static auto* const file = [] {
        static char nothing;
        auto* const made = ::fmemopen(&nothing, 0, "r");
        return made != nullptr ? made : throw std::bad_alloc();
    }();
    return file;
}

/// What libcurl is told in place of a pointer that nobody set (url.c, Curl_init_userdefined).
void* default_data(CURLoption data) noexcept {
    if (data == CURLOPT_WRITEDATA)
        return stdout;
    return data == CURLOPT_READDATA ? empty_file() : nullptr;
}

/// These two are installed as one, by whether somebody wants to know of sockets.
bool is_for_sockets(CURLoption option) noexcept {
    return option == CURLOPT_OPENSOCKETFUNCTION || option == CURLOPT_CLOSESOCKETFUNCTION ||
           option == CURLOPT_OPENSOCKETDATA || option == CURLOPT_CLOSESOCKETDATA;
}

struct raw_open {
    curl_opensocket_callback function;
    void* data;
    curl_socket_t operator()(curlsocktype purpose, curl_sockaddr& address) const {
        return function(data, purpose, &address);
    }
};

struct raw_close {
    curl_closesocket_callback function;
    void* data;
    int operator()(curl_socket_t socket) const { return function(data, socket); }
};

} // namespace

/// CHUNK_BGN and CHUNK_END have one pointer between them, and so have PROGRESS and XFERINFO.
void callback_slots::require_own_data(CURLoption function, bool is_callable) const {
    const auto conflicts = [&](const function_option& other) {
        const bool raw = std::ranges::any_of(
            raw_functions_, [&](const auto& known) { return known.first == other.function; });
        return other.function != function && other.data == data_of(function) &&
               (is_callable ? raw : has(other.function));
    };
    if (std::ranges::any_of(function_options, conflicts))
        refuse(CURLE_BAD_FUNCTION_ARGUMENT,
               name_of(function) + " shares its data with another callback, so both must be "
                                   "callables or both C functions");
}

void callback_slots::set(easy_core& core, CURLoption function,
                         intrusive_ptr<ref_counted> callable) {
    require_own_data(function, true);
    if (!is_for_sockets(function))
        require_ok(curl_easy_setopt(core.handle(), function, trampoline_of(function)), function);
    callables_[slot_of(function)] = std::move(callable);
    erase_from(raw_functions_, function);
    apply_data(core, data_of(function));
}

void callback_slots::set(easy_core& core, CURLoption function, raw_function callback) {
    require_own_data(function, false);
    store(raw_functions_, function, callback);
    if (is_for_sockets(function))
        return wrap_raw_socket_callbacks();
    const auto code = curl_easy_setopt(core.handle(), function, callback);
    if (code != CURLE_OK)
        erase_from(raw_functions_, function);
    require_ok(code, function);
    callables_[slot_of(function)] = nullptr;
    apply_data(core, data_of(function));
}

void callback_slots::set_data(easy_core& core, CURLoption data, void* pointer) {
    store(raw_data_, data, pointer);
    if (is_for_sockets(data))
        wrap_raw_socket_callbacks();
    else
        apply_data(core, data);
}

void callback_slots::unset(easy_core& core, CURLoption function) {
    erase_from(raw_functions_, function);
    if (!is_for_sockets(function))
        curl_easy_setopt(core.handle(), function, raw_function{nullptr});
    callables_[slot_of(function)] = nullptr;
    apply_data(core, data_of(function));
}

void callback_slots::set_defaults(easy_core& core) {
    empty_file(); // may throw the first time
    apply_data(core, CURLOPT_READDATA);
}

void callback_slots::rebind(easy_core& core) {
    for (const auto& option : function_options)
        if (has(option.function))
            apply_data(core, option.data);
}

void callback_slots::clear() noexcept {
    callables_.fill(nullptr);
    raw_functions_.clear();
    raw_data_.clear();
}

bool callback_slots::is_used_by_callable(CURLoption data) const noexcept {
    return std::ranges::any_of(function_options, [&](const function_option& option) {
        return option.data == data && callables_[slot_of(option.function)];
    });
}

/// The pointer that goes with the function that is installed. A user's own goes with a user's C
/// function only: libcurl would hand it to our trampoline otherwise, HEADERDATA even to that of
/// WRITEFUNCTION (sendf.c, chop_write), and any pointer to fwrite as a FILE*.
void callback_slots::apply_data(easy_core& core, CURLoption data) noexcept {
    if (is_for_sockets(data))
        return;
    const bool has_raw = std::ranges::any_of(
        raw_functions_, [&](const auto& known) { return data_of(known.first) == data; });
    auto* const raw = has_raw ? find_in(raw_data_, data) : nullptr;
    void* pointer = raw != nullptr ? *raw : default_data(data);
    if (is_used_by_callable(data))
        pointer = &core;
    curl_easy_setopt(core.handle(), data, pointer);
}

/// The close callback outlives the easy, so a raw pair travels as a callable that holds both.
void callback_slots::wrap_raw_socket_callbacks() {
    const auto data = [&](CURLoption option) {
        auto* const known = find_in(raw_data_, option);
        return known != nullptr ? *known : nullptr;
    };
    if (const auto* const function = find_in(raw_functions_, CURLOPT_OPENSOCKETFUNCTION))
        callables_[slot_of(CURLOPT_OPENSOCKETFUNCTION)] =
            as_callable<signature_of<CURLOPT_OPENSOCKETFUNCTION>>(
                raw_open{reinterpret_cast<curl_opensocket_callback>(*function),
                         data(CURLOPT_OPENSOCKETDATA)});
    if (const auto* const function = find_in(raw_functions_, CURLOPT_CLOSESOCKETFUNCTION))
        callables_[slot_of(CURLOPT_CLOSESOCKETFUNCTION)] =
            as_callable<signature_of<CURLOPT_CLOSESOCKETFUNCTION>>(
                raw_close{reinterpret_cast<curl_closesocket_callback>(*function),
                          data(CURLOPT_CLOSESOCKETDATA)});
}

} // namespace curlicue::detail
