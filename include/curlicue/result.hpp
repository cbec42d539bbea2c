// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/error.hpp>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace curlicue {

/// Why there is no value: a code, and the exception that tells more, made only when asked for.
class CURLICUE_EXPORT failure {
public:
    /// Makes the exception of a failure.
    class detail {
    public:
        detail() = default;
        detail(const detail&) = delete;
        detail& operator=(const detail&) = delete;
        virtual ~detail() = default;
        virtual std::exception_ptr make_exception() const = 0;
    };

    /// Its exception is the type that curlicue throws for `code`, else `std::system_error`.
    failure(std::error_code code) noexcept : code_(code) {}
    failure(errc code) noexcept : code_(code) {}
    /// Its code is that of the exception; one that has none gives `errc::no_code`.
    failure(std::exception_ptr exception) noexcept;
    failure(std::error_code code, std::shared_ptr<const detail> more) noexcept
        : code_(code), detail_(std::move(more)) {}
    failure(const failure&) noexcept;
    failure(failure&&) noexcept;
    failure& operator=(const failure&) noexcept;
    failure& operator=(failure&&) noexcept;
    ~failure();

    const std::error_code& code() const noexcept { return code_; }
    bool cancelled() const noexcept { return code_ == errc::cancelled; }
    /// Never null. A failure to make it (out of memory) is itself the exception.
    std::exception_ptr exception() const noexcept;
    /// What it says: `what()` of the exception, which for a transfer is in libcurl's own words.
    std::string message() const;

private:
    std::error_code code_;
    std::exception_ptr exception_;
    std::shared_ptr<const detail> detail_;
};

/// A value or a failure, shaped like `std::expected`.
template <class T> class [[nodiscard]] result {
    static_assert(!std::is_reference_v<T>, "a result holds a value: use a copy, a pointer or a "
                                           "std::reference_wrapper");
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    using value_type = T;

    result() requires std::is_void_v<T> : content_(std::in_place_index<1>) {}
    result(stored value) requires(!std::is_void_v<T>)
        : content_(std::in_place_index<1>, std::move(value)) {}
    result(failure why) noexcept : content_(std::in_place_index<0>, std::move(why)) {}

    bool has_value() const noexcept { return content_.index() == 1; }
    explicit operator bool() const noexcept { return has_value(); }

    /// The value. @throws the failure's exception if there is none
    decltype(auto) value() & { return (check(), get(*this)); }
    decltype(auto) value() const& { return (check(), get(*this)); }
    T value() && {
        check();
        if constexpr (!std::is_void_v<T>)
            return std::get<1>(std::move(content_));
    }

    /// No error (zero) where there is a value. What it means to a program; `message()` tells a
    /// person more.
    std::error_code error() const noexcept {
        return has_value() ? std::error_code() : why().code();
    }
    /// Null where there is a value.
    std::exception_ptr exception() const noexcept {
        return has_value() ? nullptr : why().exception();
    }
    /// What the failure says, in libcurl's words or the exception's. Empty where there is a value.
    std::string message() const { return has_value() ? std::string() : why().message(); }
    /// The failure itself; only where there is no value.
    const failure& why() const noexcept { return std::get<0>(content_); } // NOLINT(*-escape)

private:
    void check() const {
        if (!has_value())
            std::rethrow_exception(why().exception());
    }
    template <class Self> static decltype(auto) get(Self& self) {
        if constexpr (!std::is_void_v<T>)
            return (std::get<1>(self.content_));
    }

    std::variant<failure, stored> content_;
};

} // namespace curlicue
