// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/easy.hpp>

namespace curlicue::node {

/// What the system said of a transfer that has failed: its errno, or 0 for nothing.
long os_error_of(const easy& handle, CURLcode failure);

} // namespace curlicue::node
