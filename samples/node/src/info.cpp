// SPDX-License-Identifier: MIT
#include "info.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace curlicue::node {
namespace {

struct named_info {
    std::string_view name;
    CURLINFO number;
};

// Those of libcurl 7.88 that make sense in JavaScript. Libcurl has no table of its own, as it has
// for options.
#define INFO(name)                                                                                 \
    named_info { #name, CURLINFO_##name }
constexpr std::array infos = {
    INFO(ACTIVESOCKET),
    INFO(APPCONNECT_TIME_T),
    INFO(CAINFO),
    INFO(CAPATH),
    INFO(CONDITION_UNMET),
    INFO(CONNECT_TIME_T),
    INFO(CONTENT_LENGTH_DOWNLOAD_T),
    INFO(CONTENT_LENGTH_UPLOAD_T),
    INFO(CONTENT_TYPE),
    INFO(COOKIELIST),
    INFO(EFFECTIVE_METHOD),
    INFO(EFFECTIVE_URL),
    INFO(FILETIME_T),
    INFO(FTP_ENTRY_PATH),
    INFO(HEADER_SIZE),
    INFO(HTTPAUTH_AVAIL),
    INFO(HTTP_CONNECTCODE),
    INFO(HTTP_VERSION),
    INFO(LOCAL_IP),
    INFO(LOCAL_PORT),
    INFO(NAMELOOKUP_TIME_T),
    INFO(NUM_CONNECTS),
    INFO(OS_ERRNO),
    INFO(PRETRANSFER_TIME_T),
    INFO(PRIMARY_IP),
    INFO(PRIMARY_PORT),
    INFO(PROXYAUTH_AVAIL),
    INFO(PROXY_ERROR),
    INFO(PROXY_SSL_VERIFYRESULT),
    INFO(REDIRECT_COUNT),
    INFO(REDIRECT_TIME_T),
    INFO(REDIRECT_URL),
    INFO(REFERER),
    INFO(REQUEST_SIZE),
    INFO(RESPONSE_CODE),
    INFO(RETRY_AFTER),
    INFO(RTSP_CLIENT_CSEQ),
    INFO(RTSP_CSEQ_RECV),
    INFO(RTSP_SERVER_CSEQ),
    INFO(RTSP_SESSION_ID),
    INFO(SCHEME),
    INFO(SIZE_DOWNLOAD_T),
    INFO(SIZE_UPLOAD_T),
    INFO(SPEED_DOWNLOAD_T),
    INFO(SPEED_UPLOAD_T),
    INFO(SSL_ENGINES),
    INFO(SSL_VERIFYRESULT),
    INFO(STARTTRANSFER_TIME_T),
    INFO(TOTAL_TIME_T),
};
#undef INFO

template <class Plain> Plain read(const easy& handle, CURLINFO info) {
    Plain value{};
    curl_easy_getinfo(handle.native_handle(), info, &value);
    return value;
}

napi_value text(napi_env env, const char* value) {
    napi_value null = nullptr;
    check(env, napi_get_null(env, &null));
    return value != nullptr ? string(env, value) : null;
}

napi_value list(napi_env env, curl_slist* first) {
    napi_value array = nullptr;
    check(env, napi_create_array(env, &array));
    std::uint32_t index = 0;
    for (const auto* item = first; item != nullptr; item = item->next)
        check(env, napi_set_element(env, array, index++, string(env, item->data)));
    curl_slist_free_all(first);
    return array;
}

} // namespace

napi_value info_of(napi_env env, const easy& handle, std::string_view name) {
    if (name.starts_with("CURLINFO_"))
        name.remove_prefix(9);
    const auto* const found = std::ranges::find(infos, name, &named_info::name);
    if (found == infos.end())
        throw type_error(std::string(name) + " is no info that can be told");
    if (handle.closed())
        throw usage_error(errc::closed, "Curl.getinfo");
    switch (found->number & CURLINFO_TYPEMASK) {
    case CURLINFO_STRING:
        return text(env, read<const char*>(handle, found->number));
    case CURLINFO_LONG:
        return number(env, static_cast<double>(read<long>(handle, found->number)));
    case CURLINFO_DOUBLE:
        return number(env, read<double>(handle, found->number));
    case CURLINFO_SOCKET:
        return number(env, read<curl_socket_t>(handle, found->number));
    case CURLINFO_OFF_T:
        return number(env, static_cast<double>(read<curl_off_t>(handle, found->number)));
    default:
        return list(env, read<curl_slist*>(handle, found->number));
    }
}

} // namespace curlicue::node
