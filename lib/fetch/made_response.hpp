// SPDX-License-Identifier: MIT
#pragma once

#include "response_state.hpp"

#include <string>

namespace curlicue::detail {

/// Responses that no transfer has brought.
intrusive_ptr<response_state> made_response(int status, header_list headers, std::string body);
intrusive_ptr<response_state> made_response(int status, header_list headers, body_source body);
/// The head of `old`, which is dropped with it.
intrusive_ptr<response_state> made_response(intrusive_ptr<response_state> old, body_source body);

} // namespace curlicue::detail
