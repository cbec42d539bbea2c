// SPDX-License-Identifier: MIT
#pragma once

#include "support/temporary_directory.hpp"

namespace curlicue::bench {

/// Makes server.pem and server.key for 127.0.0.1 in the directory, and ca.pem, which signed them.
void make_certificate(const test::temporary_directory& directory);

} // namespace curlicue::bench
