// SPDX-License-Identifier: MIT
#include "built_mime.hpp"
#include "easy_core.hpp"
#include "open_sockets.hpp"
#include "refusal.hpp"
#include "server_name.hpp"
#include "share_core.hpp"
#include <curlicue/detail/clock.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

namespace curlicue::detail {
namespace {

/// libcurl numbers all its options in one row, whatever their type.
constexpr int running_number(CURLoption option) noexcept { return option % 10000; }

constexpr CURLoption function_behind(CURLoption data) noexcept {
    for (const auto& option : function_options)
        if (option.data == data)
            return option.function;
    return CURLOPT_LASTENTRY;
}

bool is_progress(CURLoption function) noexcept {
    return function == CURLOPT_XFERINFOFUNCTION || function == function_number(56);
}

bool names_server(CURLoption option) noexcept {
    return option == CURLOPT_URL || option == CURLOPT_CURLU || option == CURLOPT_HTTP_VERSION ||
           option == CURLOPT_PROXY || option == CURLOPT_NOPROXY || option == CURLOPT_PROXYTYPE ||
           option == CURLOPT_HTTPPROXYTUNNEL;
}

bool decides_buffer_size(CURLoption option) noexcept {
    return option == CURLOPT_BUFFERSIZE || option == CURLOPT_ACCEPT_ENCODING ||
           option == CURLOPT_MAX_RECV_SPEED_LARGE;
}

bool decides_session_cache(CURLoption option) noexcept {
    return option == CURLOPT_SSL_CTX_FUNCTION || option == CURLOPT_SSL_SESSIONID_CACHE;
}

bool is_socket_callback(CURLoption function) noexcept {
    return function == CURLOPT_OPENSOCKETFUNCTION || function == CURLOPT_CLOSESOCKETFUNCTION;
}

bool is_body(CURLoption option) noexcept {
    return option == CURLOPT_POSTFIELDS || option == CURLOPT_COPYPOSTFIELDS;
}

bool is_body_size(CURLoption option) noexcept {
    return option == CURLOPT_POSTFIELDSIZE || option == CURLOPT_POSTFIELDSIZE_LARGE;
}

[[noreturn]] void refuse_type(CURLoption option) {
    refuse(CURLE_BAD_FUNCTION_ARGUMENT, name_of(option) + " does not take a value of this type");
}

} // namespace

// What is kept. -----------------------------------------------------------------------------------

void easy_core::mark(CURLoption option, bool is_set) noexcept {
    if (names_server(option))
        forget_server();
    const auto number = static_cast<std::size_t>(running_number(option));
    if (number < set_.size())
        set_[number] = is_set;
    if (owned_ && decides_buffer_size(option))
        choose_buffer_size();
    else if (owned_ && decides_session_cache(option))
        choose_session_cache();
}

bool easy_core::is_set(CURLoption option) const noexcept {
    const auto number = static_cast<std::size_t>(running_number(option));
    return number < set_.size() && set_[number];
}

void easy_core::keep(CURLoption option, std::shared_ptr<const void> owner) {
    const auto known = std::ranges::find(kept_, option, &kept::option);
    if (known != kept_.end())
        known->owner = std::move(owner);
    else if (owner)
        kept_.push_back({option, std::move(owner)});
}

void easy_core::drop(CURLoption option) noexcept {
    std::erase_if(kept_, [&](const kept& entry) { return entry.option == option; });
}

const void* easy_core::find_kept(CURLoption option) const noexcept {
    const auto known = std::ranges::find(kept_, option, &kept::option);
    return known != kept_.end() ? known->owner.get() : nullptr;
}

template <class Value> void easy_core::tell(CURLoption option, Value value) {
    require_ok(curl_easy_setopt(handle_, option, value), option);
    mark(option, true);
}

/// The old owner goes when libcurl has the new value.
template <class Value>
void easy_core::tell_and_keep(CURLoption option, Value value, std::shared_ptr<const void> owner) {
    if (owner)
        kept_.reserve(kept_.size() + 1);
    tell(option, value);
    keep(option, std::move(owner));
}

// What is refused. --------------------------------------------------------------------------------

void easy_core::require_kind(CURLoption option, option_kind kind) const {
    if (kind_of(option) != kind)
        refuse_type(option);
}

void easy_core::refuse_borrowed(CURLoption option) const {
    if (!owned_)
        throw usage_error(errc::borrowed, name_of(option));
}

/// libcurl sends as many bytes as it is told, whether they are there or not.
void easy_core::require_within_body(CURLoption option, curl_off_t size) const {
    if (body_size_ >= 0 && size > body_size_)
        refuse(CURLE_BAD_FUNCTION_ARGUMENT, name_of(option) + " is more than the body has");
}

// Plain values. -----------------------------------------------------------------------------------

void easy_core::set(CURLoption option, curl_off_t number) {
    if (kind_of(option) == option_kind::big_number) {
        if (is_body_size(option))
            require_within_body(option, number);
        tell(option, number);
    } else {
        require_kind(option, option_kind::number);
        if (is_body_size(option))
            require_within_body(option, number);
        if (number < std::numeric_limits<long>::min() || number > std::numeric_limits<long>::max())
            refuse(CURLE_BAD_FUNCTION_ARGUMENT, option);
        tell(option, static_cast<long>(number));
    }
    if (is_body_size(option))
        announced_body_size_ = number;
    else
        limit_time(option, number);
}

// To libcurl the option in seconds and that in milliseconds are one (setopt.c), and 0 is no limit.
void easy_core::limit_time(CURLoption option, curl_off_t number) noexcept {
    const bool total = option == CURLOPT_TIMEOUT || option == CURLOPT_TIMEOUT_MS;
    if (!total && option != CURLOPT_CONNECTTIMEOUT && option != CURLOPT_CONNECTTIMEOUT_MS)
        return;
    const bool in_seconds = option == CURLOPT_TIMEOUT || option == CURLOPT_CONNECTTIMEOUT;
    const auto limit = in_seconds
                           ? saturated<std::chrono::milliseconds>(std::chrono::seconds(number))
                           : std::chrono::milliseconds(number);
    (total ? time_limit_ : connect_limit_) =
        limit.count() > 0 ? std::optional(limit) : std::nullopt;
}

void easy_core::set(CURLoption option, std::string_view terminated) {
    if (kind_of(option) == option_kind::blob || is_body(option))
        return set(option, std::as_bytes(std::span(terminated)));
    require_kind(option, option_kind::string);
    refuse_nul(terminated, option);
    auto proxy = option == CURLOPT_PROXY ? proxy_named(terminated) : std::string();
    tell(option, terminated.data());
    if (option == CURLOPT_PROXY)
        proxy_ = std::move(proxy);
}

void easy_core::set(CURLoption option, slist list) {
    require_kind(option, option_kind::list);
    refuse_borrowed(option);
    auto* const head = list.get();
    tell_and_keep(option, head, std::make_shared<slist>(std::move(list)));
}

void easy_core::set(CURLoption option, bytes data) {
    if (is_body(option))
        return set_body(option, data);
    require_kind(option, option_kind::blob);
    curl_blob blob{const_cast<std::byte*>(data.data()), data.size(), CURL_BLOB_COPY};
    tell(option, &blob);
}

/// POSTFIELDS is copied by us and COPYPOSTFIELDS by libcurl, which must know the length first.
void easy_core::set_body(CURLoption option, bytes data) {
    const auto size = static_cast<curl_off_t>(data.size());
    if (announced_body_size_ > size)
        refuse(CURLE_BAD_FUNCTION_ARGUMENT, name_of(option) + " is less than POSTFIELDSIZE");
    if (option == CURLOPT_POSTFIELDS)
        refuse_borrowed(option);
    // Terminated, since a size of -1 makes libcurl look for the end itself.
    auto copy = std::make_shared<const std::string>(reinterpret_cast<const char*>(data.data()),
                                                    data.size());
    if (announced_body_size_ < 0)
        require_ok(curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, size), option);
    tell(option, copy->c_str());
    body_size_ = size;
    drop(CURLOPT_COPYPOSTFIELDS == option ? CURLOPT_POSTFIELDS : CURLOPT_LASTENTRY);
    if (option == CURLOPT_POSTFIELDS)
        keep(option, std::move(copy));
}

// Pointers and objects. ---------------------------------------------------------------------------

void easy_core::set(CURLoption option, void* pointer) {
    const auto kind = kind_of(option);
    if (pointer == nullptr)
        return set(option, nullptr);
    if (kind == option_kind::callback_data && owned_) {
        callbacks_.set_data(*this, option, pointer);
        mark(option, true);
        return;
    }
    if ((kind != option_kind::object && kind != option_kind::callback_data) || is_body(option))
        refuse_type(option);
    tell(option, pointer);
    drop(option);
    if (option == CURLOPT_SHARE)
        leave_share();
}

void easy_core::set(CURLoption option, const mime& parts) {
    require_kind(option, option_kind::object);
    refuse_borrowed(option);
    auto built = std::make_shared<const built_mime>(*this, parts);
    tell_and_keep(option, built->handle(), built);
}

void easy_core::set(CURLoption option, const share& data) {
    refuse_borrowed(option);
    const auto& core = share_access::core_of(data);
    if (!core)
        throw usage_error(errc::closed, name_of(option));
    join_share(core);
    mark(option, true);
}

void easy_core::join_share(intrusive_ptr<share_core> data) {
    if (!data)
        return;
    data->join();
    const auto code = curl_easy_setopt(handle_, CURLOPT_SHARE, data->handle());
    if (code != CURLE_OK)
        data->part();
    require_ok(code, CURLOPT_SHARE);
    leave_share();
    share_ = std::move(data);
}

void easy_core::leave_share() noexcept {
    if (share_)
        std::exchange(share_, nullptr)->part();
}

void easy_core::set(CURLoption option, const url& address) {
    refuse_borrowed(option);
    auto copy = std::make_shared<const url>(address);
    tell_and_keep(option, copy->native_handle(), copy);
}

void easy_core::set(CURLoption option, easy_core& other) {
    refuse_borrowed(option);
    tell_and_keep(
        option, other.handle(),
        std::make_shared<intrusive_ptr<easy_core>>(intrusive_ptr<easy_core>::share(&other)));
}

const url* easy_core::address() const noexcept {
    return static_cast<const url*>(find_kept(CURLOPT_CURLU));
}

// Callbacks. --------------------------------------------------------------------------------------

void easy_core::set(CURLoption option, intrusive_ptr<ref_counted> callable) {
    refuse_borrowed(option);
    callbacks_.set(*this, option, std::move(callable));
    mark(option, true);
    if (is_progress(option))
        curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
    if (is_socket_callback(option))
        apply_socket_callbacks();
}

void easy_core::set_stream(CURLoption data, intrusive_ptr<ref_counted> callable) {
    const auto function = function_behind(data);
    set(function, std::move(callable));
    mark(function, false);
    mark(data, true);
}

void easy_core::set(CURLoption option, raw_function function) {
    require_kind(option, option_kind::function);
    if (function == nullptr)
        return set(option, nullptr);
    if (owned_ && slot_of(option) < function_options.size())
        callbacks_.set(*this, option, function);
    else
        require_ok(curl_easy_setopt(handle_, option, function), option);
    mark(option, true);
    if (is_socket_callback(option))
        apply_socket_callbacks();
}

bool easy_core::shares_connections() const noexcept {
    return share_ ? share_->shares(CURL_LOCK_DATA_CONNECT) : is_set(CURLOPT_SHARE);
}

void easy_core::observe_sockets(socket_observer* observer) {
    const bool possible = owned_ && !raw_callbacks_ && !shares_connections();
    if (!possible)
        observer = nullptr;
    if (observer_.get() == observer && !by_hand_)
        return; // as at the transfer before
    observer_ = intrusive_ptr<socket_observer>::share(observer);
    if (by_hand_) // OPENSOCKETFUNCTION may be the user's by now, and does not tell us then
        curl_easy_setopt(handle_, CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
    else
        apply_socket_callbacks();
}

/// Both or none: who closes a socket is written down when it is opened.
[[gnu::noinline]] void easy_core::apply_socket_callbacks() {
    const bool wanted = observer_ || (by_hand_ && !raw_callbacks_) ||
                        callbacks_.has(CURLOPT_OPENSOCKETFUNCTION) ||
                        callbacks_.has(CURLOPT_CLOSESOCKETFUNCTION);
    if (!wanted && !socket_callbacks_)
        return; // what is there may be the C callbacks of a borrowed handle that was duplicated
    curl_easy_setopt(handle_, CURLOPT_OPENSOCKETFUNCTION, wanted ? &open_socket : nullptr);
    curl_easy_setopt(handle_, CURLOPT_OPENSOCKETDATA, wanted ? this : nullptr);
    curl_easy_setopt(handle_, CURLOPT_CLOSESOCKETFUNCTION, wanted ? &close_socket : nullptr);
    curl_easy_setopt(handle_, CURLOPT_CLOSESOCKETDATA, nullptr);
    socket_callbacks_ = wanted;
}

// Taking back. ------------------------------------------------------------------------------------

void easy_core::set(CURLoption option, std::nullptr_t) {
    switch (kind_of(option)) {
    case option_kind::function:
        unset_function(option);
        break;
    case option_kind::callback_data:
        unset_data(option);
        break;
    case option_kind::object:
        unset_object(option);
        break;
    case option_kind::number:
    case option_kind::big_number:
        if (!may_be_unset(option))
            refuse_type(option);
        if (is_body_size(option)) {
            announced_body_size_ = -1;
            set(CURLOPT_POSTFIELDSIZE_LARGE, body_size_);
            announced_body_size_ = -1;
        } else {
            set(option, curl_off_t{-1});
        }
        break;
    default:
        tell(option, static_cast<void*>(nullptr));
        drop(option);
        break;
    }
    mark(option, false);
}

void easy_core::unset_function(CURLoption option) {
    if (owned_ && slot_of(option) < function_options.size())
        callbacks_.unset(*this, option);
    else
        curl_easy_setopt(handle_, option, raw_function{nullptr});
    if (is_progress(option) && !callbacks_.has(CURLOPT_XFERINFOFUNCTION) &&
        !callbacks_.has(function_number(56)))
        curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 1L); // or libcurl draws its own meter
    if (is_socket_callback(option))
        apply_socket_callbacks();
}

/// A stream or string that was given as the data is a callable of ours; one of the user's own
/// stays.
void easy_core::unset_data(CURLoption option) {
    if (!owned_) {
        tell(option, static_cast<void*>(nullptr));
        return;
    }
    const auto function = function_behind(option);
    if (is_set(option) && callbacks_.has(function) && !is_set(function))
        callbacks_.unset(*this, function);
    callbacks_.set_data(*this, option, nullptr);
}

void easy_core::unset_object(CURLoption option) {
    tell(option, static_cast<void*>(nullptr));
    drop(option);
    if (option == CURLOPT_SHARE)
        leave_share();
    if (is_body(option)) {
        drop(CURLOPT_POSTFIELDS);
        body_size_ = -1;
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, announced_body_size_);
    }
}

// The run-time door. ------------------------------------------------------------------------------

void easy_core::set(CURLoption option, const option_value& value) {
    if (curl_easy_option_by_id(option) == nullptr)
        refuse(CURLE_UNKNOWN_OPTION, option);
    if (option == CURLOPT_ERRORBUFFER && owned_)
        throw std::invalid_argument("CURLOPT_ERRORBUFFER belongs to the easy; read easy::error()");
    const auto pass = [&]<class Value>(const Value& alternative) {
        if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
            require_kind(option, option_kind::list);
            set(option, as_list(alternative));
        } else if constexpr (std::is_same_v<Value, option_value::bytes>) {
            set(option, bytes(alternative));
        } else if constexpr (std::is_same_v<Value, std::string>) {
            if (value.braced() && kind_of(option) == option_kind::list)
                set(option, as_list(std::span(&alternative, 1)));
            else
                set(option, std::string_view(alternative));
        } else {
            set(option, alternative);
        }
    };
    std::visit(pass, value.alternatives());
}

} // namespace curlicue::detail
