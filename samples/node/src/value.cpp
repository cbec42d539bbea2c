// SPDX-License-Identifier: MIT
#include "value.hpp"

#include "environment.hpp"

#include <cmath>
#include <cstring>

namespace curlicue::node {

reference::reference(napi_env env, napi_value value, strength how)
    : where_(environment::of(env).shared_from_this()) {
    check(env, napi_create_reference(env, value, static_cast<std::uint32_t>(how), &reference_));
}

reference::~reference() {
    if (!where_->ended()) // else Node has deleted it
        napi_delete_reference(where_->env(), reference_);
}

napi_value reference::value() const {
    napi_value value = nullptr;
    check(where_->env(), napi_get_reference_value(where_->env(), reference_, &value));
    return value;
}

js_exception::js_exception(napi_env env, napi_value thrown)
    : thrown_(std::make_shared<reference>(env,
                                          [=] {
                                              // Only objects may be referred to in all versions of
                                              // Node-API: others travel in one.
                                              napi_value box = nullptr;
                                              check(env,
                                                    napi_create_array_with_length(env, 1, &box));
                                              check(env, napi_set_element(env, box, 0, thrown));
                                              return box;
                                          }())),
      env_(env) {}

napi_value js_exception::value() const { return element(env_, thrown_->value(), 0); }

void check(napi_env env, napi_status status) {
    if (status == napi_ok)
        return;
    bool pending = false;
    napi_value thrown = nullptr;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
        napi_get_and_clear_last_exception(env, &thrown) == napi_ok)
        throw js_exception(env, thrown);
    throw std::runtime_error("Node-API refused a call with status " + std::to_string(status));
}

napi_valuetype type_of(napi_env env, napi_value value) {
    napi_valuetype type = napi_undefined;
    check(env, napi_typeof(env, value, &type));
    return type;
}

std::string to_string(napi_env env, napi_value value, const char* what) {
    std::size_t size = 0;
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok)
        throw type_error(std::string(what) + " must be a string");
    std::string text(size, '\0');
    check(env, napi_get_value_string_utf8(env, value, text.data(), size + 1, &size));
    return text;
}

std::string to_latin1(napi_env env, napi_value value, const char* what) {
    std::size_t size = 0;
    if (napi_get_value_string_latin1(env, value, nullptr, 0, &size) != napi_ok)
        throw type_error(std::string(what) + " must be a string");
    std::string text(size, '\0');
    check(env, napi_get_value_string_latin1(env, value, text.data(), size + 1, &size));
    return text;
}

double to_number(napi_env env, napi_value value, const char* what) {
    double number = 0;
    if (napi_get_value_double(env, value, &number) != napi_ok)
        throw type_error(std::string(what) + " must be a number");
    return number;
}

std::int64_t to_whole(napi_env env, napi_value value, const char* what, std::int64_t least,
                      std::int64_t most) {
    double number = 0;
    const bool whole = napi_get_value_double(env, value, &number) == napi_ok &&
                       std::trunc(number) == number && number >= static_cast<double>(least) &&
                       number <= static_cast<double>(most);
    if (!whole)
        throw type_error(std::string(what) + " must be a whole number from " +
                         std::to_string(least) + " to " + std::to_string(most));
    return static_cast<std::int64_t>(number);
}

bool boolean_of(napi_env env, napi_value value) {
    bool truth = false;
    return napi_get_value_bool(env, value, &truth) == napi_ok && truth;
}

napi_value property(napi_env env, napi_value object, const char* name) {
    napi_value value = nullptr;
    check(env, napi_get_named_property(env, object, name, &value));
    return value;
}

std::uint32_t length_of(napi_env env, napi_value array, const char* what) {
    std::uint32_t length = 0;
    if (napi_get_array_length(env, array, &length) != napi_ok)
        throw type_error(std::string(what) + " must be an array");
    return length;
}

napi_value element(napi_env env, napi_value array, std::uint32_t index) {
    napi_value value = nullptr;
    check(env, napi_get_element(env, array, index, &value));
    return value;
}

std::vector<std::string> to_strings(napi_env env, napi_value array, const char* what) {
    std::vector<std::string> strings(length_of(env, array, what));
    for (std::uint32_t i = 0; i != strings.size(); ++i)
        strings[i] = to_string(env, element(env, array, i), what);
    return strings;
}

bool is_bytes(napi_env env, napi_value value) {
    bool array = false, view = false, buffer = false;
    check(env, napi_is_typedarray(env, value, &array));
    check(env, napi_is_dataview(env, value, &view));
    check(env, napi_is_arraybuffer(env, value, &buffer));
    return array || view || buffer;
}

std::span<const std::byte> to_bytes(napi_env env, napi_value value, const char* what) {
    void* data = nullptr;
    std::size_t size = 0;
    bool array = false, view = false;
    check(env, napi_is_typedarray(env, value, &array));
    check(env, napi_is_dataview(env, value, &view));
    if (array) // also where its elements are wider than a byte
        check(env, napi_get_buffer_info(env, value, &data, &size));
    else if (view)
        check(env, napi_get_dataview_info(env, value, &size, &data, nullptr, nullptr));
    else if (napi_get_arraybuffer_info(env, value, &data, &size) != napi_ok)
        throw type_error(std::string(what) + " must be an ArrayBuffer or a view of one");
    return {static_cast<const std::byte*>(data), size};
}

std::string to_content(napi_env env, napi_value value, const char* what) {
    if (type_of(env, value) == napi_string)
        return to_string(env, value, what);
    const auto bytes = to_bytes(env, value, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

napi_value undefined(napi_env env) {
    napi_value value = nullptr;
    check(env, napi_get_undefined(env, &value));
    return value;
}

napi_value boolean(napi_env env, bool value) {
    napi_value result = nullptr;
    check(env, napi_get_boolean(env, value, &result));
    return result;
}

napi_value number(napi_env env, double value) {
    napi_value result = nullptr;
    check(env, napi_create_double(env, value, &result));
    return result;
}

napi_value string(napi_env env, std::string_view utf8) {
    napi_value result = nullptr;
    const auto status = napi_create_string_utf8(env, utf8.data(), utf8.size(), &result);
    if (status != napi_ok && utf8.size() > environment::of(env).most().characters)
        throw coded_error("ERR_STRING_TOO_LONG",
                          "a string cannot have " + std::to_string(utf8.size()) +
                              " bytes; read the body by bytes() or as a stream");
    check(env, status);
    return result;
}

napi_value latin1(napi_env env, std::string_view bytes) {
    napi_value result = nullptr;
    check(env, napi_create_string_latin1(env, bytes.data(), bytes.size(), &result));
    return result;
}

napi_value copy_of(napi_env env, std::span<const char> bytes) {
    void* data = nullptr;
    napi_value buffer = nullptr;
    check(env, napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
    if (!bytes.empty())
        std::memcpy(data, bytes.data(), bytes.size());
    return uint8_array(env, buffer, bytes.size());
}

napi_value uint8_array(napi_env env, napi_value array_buffer, std::size_t size) {
    napi_value array = nullptr;
    check(env, napi_create_typedarray(env, napi_uint8_array, size, array_buffer, 0, &array));
    return array;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
    check(env, napi_set_named_property(env, object, name, value));
}

} // namespace curlicue::node
