// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/transport.hpp>

namespace curlicue {

/// A network layer that sends one request for equal GETs which wait for their heads at the same
/// time: each caller has the same head, and all bytes of the body. Equal are those of one client
/// with the same URL, headers, limits and `request` fields; never such as have a body,
/// Authorization, Cookie, a password in the URL, `tweak` or `progress`.
///
/// Who cancels leaves the others; once all have, the request ends. Nobody waits for a slower
/// reader: what that has yet to read is kept for it, and beyond `request::most_body` its read
/// fails with `errc::too_large`. Trailers are for requests that nobody else has joined.
/// @threading the layer is thread-safe
struct CURLICUE_EXPORT coalesce {
    operator layer() const; // NOLINT(*-explicit-*): a layer is what it is for
};

} // namespace curlicue
