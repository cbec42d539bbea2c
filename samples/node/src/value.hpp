// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <node_api.h>

namespace curlicue::node {

class environment;

/// A reference from C++ to a value of JavaScript's, which a weak one does not keep. It may outlive
/// JavaScript, which leaves nothing to refer to.
class reference {
public:
    enum class strength : std::uint32_t { weak, strong };

    reference(napi_env env, napi_value value, strength how = strength::strong);
    reference(const reference&) = delete;
    reference& operator=(const reference&) = delete;
    ~reference();

    /// Null if it was weak and the value is gone.
    napi_value value() const;

private:
    const std::shared_ptr<const environment> where_;
    napi_ref reference_ = nullptr;
};

/// What JavaScript threw, on its way through C++ back to JavaScript.
class js_exception : public std::exception {
public:
    js_exception(napi_env env, napi_value thrown);
    const char* what() const noexcept override { return "thrown by JavaScript"; }
    napi_value value() const;

private:
    std::shared_ptr<const reference> thrown_; // shared: copying an exception must not throw
    napi_env env_;
};

/// Becomes a TypeError.
class type_error : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// Becomes a RangeError with a code of Node's (ERR_…), or a CurlError with one of ours
/// (CURLICUE_…).
class coded_error : public std::runtime_error {
public:
    /// @param code *Lifetime:* static
    coded_error(const char* code, const std::string& words)
        : std::runtime_error(words), code_(code) {}
    const char* code() const noexcept { return code_; }

private:
    const char* code_;
};

/// A call of Node-API: what it left pending is thrown.
/// @throws js_exception; std::runtime_error, as when the environment may not run JavaScript any
/// more
void check(napi_env env, napi_status status);

// From JavaScript. @throws type_error, naming `what` it is for
napi_valuetype type_of(napi_env env, napi_value value);
std::string to_string(napi_env env, napi_value value, const char* what);
/// Each of its characters a byte, of those above 255 the lower one.
std::string to_latin1(napi_env env, napi_value value, const char* what);
double to_number(napi_env env, napi_value value, const char* what);
/// Number.MAX_SAFE_INTEGER: beyond, a number is not the one that was written.
inline constexpr std::int64_t most_exact = (std::int64_t{1} << 53) - 1;
/// A whole number in that range, which is no more than exact.
std::int64_t to_whole(napi_env env, napi_value value, const char* what, std::int64_t least,
                      std::int64_t most);
std::uint32_t length_of(napi_env env, napi_value array, const char* what);
/// Whether it is true itself.
bool boolean_of(napi_env env, napi_value value);
napi_value property(napi_env env, napi_value object, const char* name);
napi_value element(napi_env env, napi_value array, std::uint32_t index);
std::vector<std::string> to_strings(napi_env env, napi_value array, const char* what);
bool is_bytes(napi_env env, napi_value value);
/// Of an ArrayBuffer or a view of one; valid until JavaScript runs.
std::span<const std::byte> to_bytes(napi_env env, napi_value value, const char* what);
/// A string, or the same bytes.
std::string to_content(napi_env env, napi_value value, const char* what);

// To JavaScript.
napi_value undefined(napi_env env);
napi_value boolean(napi_env env, bool value);
napi_value number(napi_env env, double value);
/// @throws coded_error if it is longer than a string may be
napi_value string(napi_env env, std::string_view utf8);
/// Bytes as they came, each a character: header lines have no other encoding.
napi_value latin1(napi_env env, std::string_view bytes);
/// A Uint8Array that has a copy of them.
napi_value copy_of(napi_env env, std::span<const char> bytes);
napi_value uint8_array(napi_env env, napi_value array_buffer, std::size_t size);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

} // namespace curlicue::node
