// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/curlicue.h>
#include <curlicue/fetch.hpp>

namespace curlicue::detail {

// What structs of C say, in C++. @throws std::invalid_argument

/// All but what leads back to the user's callbacks.
request request_of(const curlicue_request& asked);
client_options options_of(const curlicue_client_options& asked);

} // namespace curlicue::detail
