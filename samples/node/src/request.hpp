// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include <curlicue/easy.hpp>

#include <cstddef>

namespace curlicue::node {

/// Sets up an easy for `fetch`: http and https only, the server verified, nothing followed, no
/// proxy, cookies or .netrc, an end to waiting, and no line breaks where they would end a header.
/// (multi, url, method, headers, body, limits): headers alternate names and values; a body is
/// a string, bytes, `true` for one that is written piece by piece, or undefined; limits are
/// milliseconds for the whole, to connect, and without a byte.
/// @throws type_error
void prepare(const easy& handle, const arguments& given);

} // namespace curlicue::node
