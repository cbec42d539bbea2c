// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/curlicue.h>
#include <curlicue/response.hpp>

#include <string>
#include <vector>

namespace curlicue::detail {

/// The head of a response, as C has it.
class head_for_c {
public:
    explicit head_for_c(const response& of);
    head_for_c(const head_for_c&) = delete;
    head_for_c& operator=(const head_for_c&) = delete;
    ~head_for_c() = default;

    const curlicue_head* get() const noexcept { return &head_; }

private:
    std::string text_; // of all of it, each with a NUL behind it
    std::vector<curlicue_header> headers_;
    curlicue_head head_{};
};

} // namespace curlicue::detail
