// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/curlicue.h>
#include <curlicue/fetch.hpp>

#include <string>
#include <string_view>

namespace curlicue::detail {

// What structs of C say, in C++. @throws std::invalid_argument

/// All but what leads back to the user's callbacks.
request request_of(const curlicue_request& asked);
client_options options_of(const curlicue_client_options& asked);

/// Where a Location leads, as the user's callback says.
/// @throws ended_by_callback, std::length_error
std::string resolved_by(curlicue_resolve resolve, void* data, const std::string& from,
                        std::string_view location);

} // namespace curlicue::detail
