// SPDX-License-Identifier: MIT
#pragma once

#include "support/scripted_server.hpp"

namespace curlicue::test {

/// Answers as the path of the request says, and as real servers do not:
///
/// /echo…        the request, head and body, as it came
/// /digest       "hello\n" to whoever authenticates by Digest, 401 to others
/// /early        413 before the body has come
/// …             the replies in odd_server.cpp
///
/// @throws std::system_error if it cannot listen
scripted_server make_odd_server();

} // namespace curlicue::test
