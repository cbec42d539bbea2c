// SPDX-License-Identifier: MIT
#pragma once

#include "response_state.hpp"

#include <cstdint>
#include <filesystem>

namespace curlicue::detail {

/// What `response::to_file` does with a body that it has taken.
future<std::uint64_t> to_file(const intrusive_ptr<response_state>& body,
                              std::filesystem::path path);

} // namespace curlicue::detail
