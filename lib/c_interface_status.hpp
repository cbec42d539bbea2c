// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/curlicue.h>
#include <curlicue/error.hpp>

#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace curlicue::detail {

constexpr int own_status(errc code) noexcept {
    return CURLICUE_OWN_STATUS + static_cast<int>(code);
}
int status_of(const std::error_code& code) noexcept;

/// A callback of the user's has returned this status, which is not 0.
class ended_by_callback final : public std::exception {
public:
    explicit ended_by_callback(int status) noexcept : status_(status) {}
    int status() const noexcept { return status_; }
    const char* what() const noexcept override { return curlicue_strerror(status_); }

private:
    int status_;
};

/// Of the exception that is being handled.
/// @param malformed that of a `std::invalid_argument`
int current_status(int malformed = CURLICUE_MALFORMED) noexcept;
/// The same, of a call that is refused with it: `curlicue_last_refusal` has its words.
int refused(int malformed) noexcept;

template <class Call> int status_of_call(Call call, int malformed = CURLICUE_MALFORMED) noexcept {
    try {
        call();
        return CURLICUE_OK;
    } catch (...) {
        return refused(malformed);
    }
}

/// For what there must be. @throws usage_error{errc::null_handle}
inline void require(bool given, const char* call) {
    if (!given)
        throw usage_error(errc::null_handle, call);
}

/// `make()` gives a pointer to what `made` is to point to.
template <class Object, class Make> int make(Object** made, const char* call, Make make) noexcept {
    if (made != nullptr)
        *made = nullptr;
    return status_of_call([&] {
        require(made != nullptr, call);
        *made = make().release();
    });
}

/// What a caller has given, who may know fewer members than we do: the rest is as in `all`. One who
/// knows more may not have asked for any of them.
/// @throws std::invalid_argument
template <class Struct> Struct known_part(const Struct* given, const char* name, Struct all = {}) {
    if (given == nullptr)
        return all;
    if (given->size < sizeof given->size)
        throw std::invalid_argument(std::string(name) + ": size is sizeof of the struct");
    const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
    for (auto at = sizeof all; at < given->size; ++at)
        if (bytes[at] != 0)
            throw std::invalid_argument(std::string(name) +
                                        ": it asks for what this version does not know");
    std::memcpy(&all, given, std::min(given->size, sizeof all));
    return all;
}

/// C lets an enumeration have any number; in C++ none but its own may be read.
template <class Enumeration> auto number_of(const Enumeration& asked) noexcept {
    std::underlying_type_t<Enumeration> number;
    std::memcpy(&number, &asked, sizeof number);
    return number;
}

} // namespace curlicue::detail
