// SPDX-License-Identifier: MIT
#pragma once

#include "value.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

namespace curlicue::node {

/// As an object; times in milliseconds.
napi_value stats_of(napi_env env, const multi_stats& stats);
napi_value stats_of(napi_env env, const client_stats& stats);

} // namespace curlicue::node
