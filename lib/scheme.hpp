// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include <curl/curl.h>

namespace curlicue::detail {

class easy_core;

/// The URL that was set, or after a transfer the one where that ended (getinfo.c). Of a
/// CURLOPT_CURLU libcurl tells none before the transfer starts. Valid until the handle is used.
const char* url_of(const easy_core& handle) noexcept;
/// That of the URL which an easy names, as libcurl will read it, in lower case. Empty where there
/// is none yet, or where libcurl does not tell: of a `CURLOPT_CURLU` that is not ours.
/// @throws std::bad_alloc
std::string scheme_of(const easy_core& handle);

/// What libcurl does of some protocols in the foreground, where the loop waits with it.
enum class waits : unsigned char {
    throughout,  ///< all of a transfer, of rtmp the handshake: in one call
    at_the_end,  ///< for the answer at the end of a transfer, and then as the next
    for_goodbye, ///< for the answer to its goodbye, when it lets go of a connection
};
/// Those that wait so and that the libcurl at hand has, without their variants: for a person.
/// @throws std::bad_alloc
std::string those_that(waits when);
/// Whether this easy names one that waits throughout.
/// @throws std::bad_alloc
bool may_block(const easy_core& handle);
/// Whether libcurl, when it lets go of this transfer in the middle or of its idle connection, talks
/// to the server and waits for its answer, for minutes where none comes: the final dot of a mail,
/// QUIT, LOGOUT, the close of a file in SFTP.
bool says_goodbye(CURL* transfer) noexcept;

/// Whether a transfer speaks this protocol, over TLS or not. None before it has a connection.
bool speaks(CURL* transfer, std::string_view scheme) noexcept;
/// Whether it is connected and has said what is to come: data may flow.
bool has_begun(CURL* transfer) noexcept;
/// Whether it may go on when libcurl has asked for nothing: while LDAP's bind is under way, and in
/// FTP for the control connection: over TLS at any time, else until it has begun. Not for longer,
/// since at the end of each file libcurl waits for an answer: of all in one call.
bool asks_for_too_little(CURL* transfer) noexcept;

} // namespace curlicue::detail
