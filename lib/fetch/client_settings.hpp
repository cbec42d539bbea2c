// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/fetch.hpp>

namespace curlicue::detail {

/// The options with what is unset filled in.
/// @throws std::invalid_argument for what is malformed, or contradicts one another
client_options settled(client_options options);
/// Fills in what the client has, and checks the request. @throws std::invalid_argument
void settle(request& what, const client_options& options);

} // namespace curlicue::detail
