// SPDX-License-Identifier: MIT
#include "uv_owned.hpp"

#include "immortal.hpp"
#include <curlicue/error.hpp>

#include <array>
#include <string>
#include <system_error>

namespace curlicue {
namespace {

class uv_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "uv"; }
    // uv_strerror forgets the memory of what it says about unknown codes.
    std::string message(int code) const override {
        std::array<char, 256> words{};
        return uv_strerror_r(code, words.data(), words.size());
    }
    // Where there is errno, libuv's codes are its negatives (uv/errno.h).
    std::error_condition default_error_condition(int code) const noexcept override {
        return std::generic_category().default_error_condition(-code);
    }
};

} // namespace

const std::error_category& uv_category() noexcept {
    static const detail::immortal<uv_error_category> category;
    return category.object;
}

void detail::check_uv(int status, const char* what) {
    if (status < 0)
        throw std::system_error(status, uv_category(), what);
}

} // namespace curlicue
