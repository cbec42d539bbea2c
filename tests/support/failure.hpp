// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/error.hpp>

#include <stdexcept>
#include <system_error>

namespace curlicue::test {

/// The code of what `call` throws.
template <class Call> std::error_code failure_of(Call call) {
    try {
        call();
    } catch (const std::system_error& error) {
        return error.code();
    } catch (const usage_error& error) {
        return error.code();
    }
    throw std::logic_error("the call did not fail");
}

} // namespace curlicue::test
