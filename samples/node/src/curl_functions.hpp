// SPDX-License-Identifier: MIT
#pragma once

#include "environment.hpp"
#include "value.hpp"
#include <curlicue/easy.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>

namespace curlicue::node {

/// The functions of JavaScript's that libcurl calls for a Curl. The JavaScript object keeps them,
/// so that one which knows its own Curl is no cycle that the collector cannot see. *Ownership:*
/// shared by the Curl and the callbacks of its easy, which may outlive it.
class curl_functions : public std::enable_shared_from_this<curl_functions> {
public:
    /// @param object the Curl's
    curl_functions(environment& where, napi_value object);

    /// @throws type_error for an option that takes no function here
    void set(easy& handle, CURLoption option, napi_value function);

    /// Of the last transfer: whether its WRITEFUNCTION was called. Else libcurl writes.
    bool body_began = false;

private:
    napi_value call(CURLoption option, std::initializer_list<napi_value> given) const;
    std::size_t taken(CURLoption option, std::size_t size, napi_value chunk) const;
    std::size_t read(std::span<char> buffer) const;
    void set_callback(easy& handle, CURLoption option);

    const std::shared_ptr<environment> where_;
    const reference functions_; // by option; weak: they are the object's
};

} // namespace curlicue::node
