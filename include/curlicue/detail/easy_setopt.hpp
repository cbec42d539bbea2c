// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>

namespace curlicue {

template <CURLoption Option, class Value> easy& easy::setopt(Value&& value) {
    using T = std::remove_cvref_t<Value>;
    constexpr auto kind = detail::kind_of(Option);
    detail::require_fit<Option, Value>();
    if constexpr (!detail::accepts<Option, Value>())
        ; // one error is enough
    else if constexpr (std::is_null_pointer_v<T>)
        set(Option, nullptr);
    else if constexpr (kind == option_kind::number || kind == option_kind::big_number)
        set(Option, detail::as_number<Option>(value));
    else if constexpr (kind == option_kind::string)
        set_text<Option>(std::forward<Value>(value));
    else if constexpr (kind == option_kind::list)
        set(Option, detail::as_list(value));
    else if constexpr (kind == option_kind::blob)
        set(Option, detail::as_byte_span(value));
    else if constexpr (kind == option_kind::object)
        set_object<Option>(std::forward<Value>(value));
    else if constexpr (kind == option_kind::callback_data)
        set_data<Option>(std::forward<Value>(value));
    else
        set_function<Option>(std::forward<Value>(value));
    return *this;
}

template <CURLoption Option> easy& easy::setopt(std::initializer_list<std::string_view> list) {
    return setopt<Option, const std::initializer_list<std::string_view>&>(list);
}

template <CURLoption Option, class Value> void easy::set_text(Value&& value) {
    if constexpr (std::is_pointer_v<std::remove_reference_t<Value>>)
        if (static_cast<const char*>(value) == nullptr)
            return set(Option, nullptr);
    set(Option, detail::text(std::forward<Value>(value)));
}

template <CURLoption Option, class Value> void easy::set_object(Value&& value) {
    if constexpr (Option == CURLOPT_POSTFIELDS || Option == CURLOPT_COPYPOSTFIELDS)
        set(Option, detail::as_byte_span(value));
    else if constexpr (std::is_pointer_v<std::decay_t<Value>>)
        set(Option, const_cast<void*>(static_cast<const void*>(value)));
    else
        set(Option, value);
}

template <CURLoption Option, class Value> void easy::set_data(Value&& value) {
    if constexpr (std::is_convertible_v<Value, std::FILE*>)
        set(Option, static_cast<std::FILE*>(value));
    else if constexpr (std::is_base_of_v<std::istream, std::remove_cvref_t<Value>>)
        read_from(value);
    else if constexpr (Option == CURLOPT_READDATA && detail::text_like<Value>)
        read_from(std::string(std::forward<Value>(value)));
    else if constexpr (std::is_pointer_v<std::decay_t<Value>>)
        set(Option, const_cast<void*>(static_cast<const void*>(value)));
    else if constexpr (Option == CURLOPT_READDATA)
        read_from(std::string(reinterpret_cast<const char*>(std::ranges::data(value)),
                              std::ranges::size(value)));
    else
        append_to(Option, value);
}

template <CURLoption Option, class Value> void easy::set_function(Value&& value) {
    if constexpr (std::is_convertible_v<Value, detail::c_function_of<Option>>)
        set(Option, reinterpret_cast<detail::raw_function>(
                        static_cast<detail::c_function_of<Option>>(value)));
    else
        set(Option, detail::as_callable<detail::signature_of<Option>>(std::forward<Value>(value)));
}

namespace detail {

/// The way between an easy and what its copies share.
struct CURLICUE_EXPORT easy_access {
    static easy wrap(easy_core* core) noexcept; // null: one that is closed
    static const intrusive_ptr<easy_core>& core_of(const easy& handle) noexcept {
        return handle.core_;
    }
};

template <class F, class R, class... Args>
R callable_of<F, R(Args...)>::call(easy_core* core, Args... args) {
    if constexpr (fits<F, R(Args...)>::plain) {
        return std::invoke(function_, std::forward<Args>(args)...);
    } else {
        easy self = easy_access::wrap(core);
        return std::invoke(function_, self, std::forward<Args>(args)...);
    }
}

} // namespace detail
} // namespace curlicue
