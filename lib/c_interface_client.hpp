// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <utility>

struct curlicue_client {
    curlicue_client(curlicue::async_multi& multi, curlicue::client_options options)
        : made(multi, std::move(options)), of(&multi) {}

    const curlicue::client made;
    const curlicue::async_multi* const of; // to compare with
};
