// SPDX-License-Identifier: MIT
#pragma once

#include "value.hpp"
#include <curlicue/easy.hpp>

#include <string_view>

namespace curlicue::node {

/// `curl_easy_getinfo` by name, with or without CURLINFO_: a number, a string, null or an array of
/// strings. @throws type_error for another name
napi_value info_of(napi_env env, const easy& handle, std::string_view name);

} // namespace curlicue::node
