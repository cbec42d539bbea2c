// SPDX-License-Identifier: MIT
// libuv-example: what to compare with.
#include "client.hpp"
#include "example_client.hpp"

namespace curlicue::bench {

void run(const job& what, meter& measured) { example_client(what, measured).run(); }

} // namespace curlicue::bench
