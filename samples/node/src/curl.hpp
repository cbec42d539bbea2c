// SPDX-License-Identifier: MIT
#pragma once

#include "class.hpp"
#include <curlicue/easy.hpp>

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>

namespace curlicue::node {

/// Curl: an `easy`. The functions that libcurl calls are kept by the JavaScript object, which is
/// kept while it is added: so one that knows its own Curl is no cycle that the collector cannot
/// see.
class curl : public std::enable_shared_from_this<curl> {
public:
    static constexpr napi_type_tag tag{0x6375726c69637565, 0x6375726c};
    static napi_value define(napi_env env);
    /// An object for an easy that is there already. *Ownership:* shared with it.
    static napi_value wrap(environment& where, napi_value js_class, const easy& handle);

    /// (url, or an easy of ours behind an External, or undefined)
    explicit curl(const arguments& given);
    void collected() noexcept {}

    const easy& handle() const noexcept { return handle_; }

private:
    napi_value setopt(const arguments& given);
    napi_value unset(const arguments& given);
    napi_value getinfo(const arguments& given);
    napi_value perform(const arguments& given);
    napi_value pause(const arguments& given);
    napi_value unpause(const arguments& given);
    napi_value reset(const arguments& given);
    napi_value close(const arguments& given);
    napi_value closed(const arguments& given);
    napi_value errstr(const arguments& given);

    void set_function(CURLoption option);
    /// What the function returned, or `otherwise` if that was undefined.
    std::size_t call(CURLoption option, std::size_t otherwise,
                     std::initializer_list<napi_value> given) const;
    std::size_t read(std::span<char> buffer) const;

    environment& where_;
    easy handle_;
    std::optional<reference> functions_; // by option; weak: they are the object's
};

} // namespace curlicue::node
