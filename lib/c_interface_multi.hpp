// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/async_multi.hpp>
#include <curlicue/curlicue.h>

#include <optional>
#include <utility>

struct curlicue_multi {
    curlicue_multi(uv_loop_s* loop, curlicue::async_multi_options options)
        : own(std::in_place, loop, std::move(options)), multi(*own) {}
    explicit curlicue_multi(curlicue::async_multi& of) : multi(of) {}

    std::optional<curlicue::async_multi> own;
    curlicue::async_multi& multi;
};
