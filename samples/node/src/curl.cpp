// SPDX-License-Identifier: MIT
#include "curl.hpp"

#include "info.hpp"

#include <climits>
#include <string>
#include <utility>

namespace curlicue::node {
namespace {

CURLoption option_of(const arguments& given) {
    if (type_of(given.env, given[0]) == napi_number)
        return static_cast<CURLoption>(given.whole(0, "the option", 0, INT_MAX));
    const auto name = given.text(0, "the option");
    const auto* const found =
        curl_easy_option_by_name(name.starts_with("CURLOPT_") ? name.c_str() + 8 : name.c_str());
    if (found == nullptr)
        throw type_error(name + " is no option of this libcurl");
    return found->id;
}

option_value value_of(const arguments& given) {
    switch (type_of(given.env, given[1])) {
    case napi_undefined:
    case napi_null:
        return nullptr;
    case napi_string:
        return given.text(1, "the value");
    case napi_number:
        return static_cast<curl_off_t>(given.whole(1, "the value", -most_exact, most_exact));
    case napi_boolean: {
        bool value = false;
        check(given.env, napi_get_value_bool(given.env, given[1], &value));
        return value;
    }
    default:
        if (is_bytes(given.env, given[1]))
            return to_bytes(given.env, given[1], "the value");
        return to_strings(given.env, given[1], "the value");
    }
}

easy easy_of(const arguments& given) {
    if (given.where.lent != nullptr)
        return *given.where.lent;
    return given.has(0) ? easy(given.text(0, "the URL")) : easy();
}

} // namespace

napi_value curl::define(napi_env env) {
    using self = js_class<curl>;
    return self::define(env, "Curl",
                        {
                            self::method<&curl::setopt>("setopt"),
                            self::method<&curl::unset>("unset"),
                            self::method<&curl::getinfo>("getinfo"),
                            self::method<&curl::perform>("perform"),
                            self::method<&curl::pause>("pause"),
                            self::method<&curl::unpause>("unpause"),
                            self::method<&curl::reset>("reset"),
                            self::method<&curl::close>("close"),
                            self::getter<&curl::closed>("closed"),
                            self::method<&curl::errstr>("errstr"),
                        });
}

napi_value curl::wrap(environment& where, napi_value js_class, const easy& handle) {
    napi_value object = nullptr;
    where.lent = &handle;
    const auto status = napi_new_instance(where.env(), js_class, 0, nullptr, &object);
    where.lent = nullptr;
    check(where.env(), status);
    return object;
}

curl::curl(const arguments& given)
    : where_(given.where), lent_(where_.lent != nullptr), handle_(easy_of(given)),
      functions_(std::make_shared<curl_functions>(where_, given.self)) {}

easy& curl::begin(const char* what) {
    if (lent_)
        throw coded_error("CURLICUE_BORROWED",
                          std::string(what) + ": it is the Curl of a fetch, which alone transfers "
                                              "with it; make another by new Curl()");
    functions_->body_began = false;
    return handle_;
}

napi_value curl::setopt(const arguments& given) {
    const auto option = option_of(given);
    if (type_of(given.env, given[1]) == napi_function) {
        functions_->set(handle_, option, given[1]);
    } else {
        handle_.setopt(option, value_of(given));
    }
    return given.self;
}

napi_value curl::unset(const arguments& given) {
    handle_.setopt(option_of(given), nullptr);
    return given.self;
}

napi_value curl::getinfo(const arguments& given) {
    return info_of(given.env, handle_, given.text(0, "the info"));
}

napi_value curl::perform(const arguments& given) {
    auto& handle = begin("Curl.perform");
    try {
        handle.perform();
    } catch (const transfer_error&) {
        throw js_exception(given.env, error(std::current_exception()));
    }
    return given.self;
}

napi_value curl::pause(const arguments& given) {
    handle_.pause(static_cast<int>(given.whole(0, "the bitmask", 0, CURLPAUSE_ALL)));
    return given.self;
}

napi_value curl::unpause(const arguments& given) {
    handle_.unpause();
    return given.self;
}

napi_value curl::reset(const arguments& given) {
    handle_.reset();
    return given.self;
}

napi_value curl::close(const arguments& given) {
    handle_.close();
    return undefined(given.env);
}

napi_value curl::closed(const arguments& given) { return boolean(given.env, handle_.closed()); }

napi_value curl::errstr(const arguments& given) { return string(given.env, handle_.error()); }

} // namespace curlicue::node
