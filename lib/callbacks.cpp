// SPDX-License-Identifier: MIT
#include "easy_core.hpp"
#include "open_sockets.hpp"
#include <curlicue/detail/slist.hpp>

#include <algorithm>
#include <cstring>

namespace curlicue::detail {
namespace {

easy_core& core_at(void* clientp) noexcept { return *static_cast<easy_core*>(clientp); }

/// Calls the callable of an option.
template <CURLoption Option, class... Args> auto call(void* core, Args&&... args) {
    return core_at(core).callbacks().get<Option>().call(&core_at(core),
                                                        std::forward<Args>(args)...);
}

/// The C callback of an option whose callable has the same shape.
template <CURLoption Option, class Result, class... Args>
Result answer(void* core, Result failure, Args&&... args) noexcept {
    return guarded(core_at(core), failure,
                   [&] { return call<Option>(core, std::forward<Args>(args)...); });
}

// What a callable that answers so has paused, libcurl remembers, and cannot be asked.
std::size_t noted(void* core, std::size_t answer, std::size_t pause, int paused) noexcept {
    if (answer == pause)
        core_at(core).set_paused(core_at(core).paused() | paused);
    return answer;
}

constexpr std::size_t write_failed = CURL_WRITEFUNC_ERROR; // never the size of a chunk

std::size_t on_write(char* data, std::size_t size, std::size_t count, void* core) noexcept {
    const auto answered = answer<CURLOPT_WRITEFUNCTION>(core, write_failed,
                                                        std::span<const char>(data, size * count));
    return noted(core, answered, CURL_WRITEFUNC_PAUSE, CURLPAUSE_RECV);
}
std::size_t on_header(char* data, std::size_t size, std::size_t count, void* core) noexcept {
    const auto answered =
        answer<CURLOPT_HEADERFUNCTION>(core, write_failed, std::string_view(data, size * count));
    return noted(core, answered, CURL_WRITEFUNC_PAUSE, CURLPAUSE_RECV);
}
std::size_t on_interleave(char* data, std::size_t size, std::size_t count, void* core) noexcept {
    return answer<CURLOPT_INTERLEAVEFUNCTION>(core, write_failed,
                                              std::span<const char>(data, size * count));
}
std::size_t on_read(char* data, std::size_t size, std::size_t count, void* core) noexcept {
    const auto answered = answer<CURLOPT_READFUNCTION>(core, std::size_t{CURL_READFUNC_ABORT},
                                                       std::span<char>(data, size * count));
    return noted(core, answered, CURL_READFUNC_PAUSE, CURLPAUSE_SEND);
}
int on_seek(void* core, curl_off_t offset, int origin) noexcept {
    return answer<CURLOPT_SEEKFUNCTION>(core, CURL_SEEKFUNC_FAIL, offset, origin);
}
int on_xferinfo(void* core, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                curl_off_t ulnow) noexcept {
    return answer<CURLOPT_XFERINFOFUNCTION>(core, 1, dltotal, dlnow, ultotal, ulnow);
}
int on_progress(void* core, double dltotal, double dlnow, double ultotal, double ulnow) noexcept {
    return answer<function_number(56)>(core, 1, dltotal, dlnow, ultotal, ulnow);
}
curlioerr on_ioctl(CURL*, int command, void* core) noexcept {
    return answer<function_number(130)>(core, CURLIOE_FAILRESTART, command);
}
int on_sockopt(void* core, curl_socket_t socket, curlsocktype purpose) noexcept {
    return answer<CURLOPT_SOCKOPTFUNCTION>(core, CURL_SOCKOPT_ERROR, socket, purpose);
}
CURLcode on_ssl_ctx(CURL*, void* context, void* core) noexcept {
    return answer<CURLOPT_SSL_CTX_FUNCTION>(core, CURLE_ABORTED_BY_CALLBACK, context);
}
int on_prereq(void* core, char* primary_ip, char* local_ip, int primary_port,
              int local_port) noexcept {
    return answer<CURLOPT_PREREQFUNCTION>(core, CURL_PREREQFUNC_ABORT, std::string_view(primary_ip),
                                          std::string_view(local_ip), primary_port, local_port);
}
int on_resolver_start(void* state, void*, void* core) noexcept {
    return answer<CURLOPT_RESOLVER_START_FUNCTION>(core, 1, state);
}
int on_ssh_key(CURL*, const curl_khkey* known, const curl_khkey* found, curl_khmatch match,
               void* core) noexcept {
    return answer<CURLOPT_SSH_KEYFUNCTION>(core, int{CURLKHSTAT_REJECT}, known, *found, match);
}
int on_ssh_hostkey(void* core, int type, const char* key, std::size_t size) noexcept {
    return answer<CURLOPT_SSH_HOSTKEYFUNCTION>(core, int{CURLKHMATCH_MISMATCH}, type,
                                               std::string_view(key, size));
}
long on_chunk_begin(const void* info, void* core, int remains) noexcept {
    return answer<CURLOPT_CHUNK_BGN_FUNCTION>(core, long{CURL_CHUNK_BGN_FUNC_FAIL},
                                              *static_cast<const curl_fileinfo*>(info), remains);
}
long on_chunk_end(void* core) noexcept {
    return answer<CURLOPT_CHUNK_END_FUNCTION>(core, long{CURL_CHUNK_END_FUNC_FAIL});
}
int on_fnmatch(void* core, const char* pattern, const char* name) noexcept {
    return answer<CURLOPT_FNMATCH_FUNCTION>(core, CURL_FNMATCHFUNC_FAIL, std::string_view(pattern),
                                            std::string_view(name));
}

/// libcurl ignores what a debug callback returns, so whoever has the easy must end the transfer.
int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* core) noexcept {
    try {
        call<CURLOPT_DEBUGFUNCTION>(core, type, std::span<const char>(data, size));
    } catch (...) {
        core_at(core).fail_later(std::current_exception());
    }
    return 0;
}

int on_trailer(curl_slist** list, void* core) noexcept {
    return guarded(core_at(core), CURL_TRAILERFUNC_ABORT, [&] {
        slist trailers;
        for (const auto& line : call<CURLOPT_TRAILERFUNCTION>(core))
            trailers.append(line);
        *list = trailers.release(); // libcurl frees it
        return CURL_TRAILERFUNC_OK;
    });
}

CURLSTScode on_hsts_read(CURL*, curl_hstsentry* entry, void* core) noexcept {
    return guarded(core_at(core), CURLSTS_FAIL, [&] {
        const auto known = call<CURLOPT_HSTSREADFUNCTION>(core);
        if (!known)
            return CURLSTS_DONE;
        if (known->host.size() > entry->namelen || known->expire.size() >= sizeof entry->expire)
            return CURLSTS_FAIL;
        std::memcpy(entry->name, known->host.c_str(), known->host.size() + 1);
        std::memcpy(entry->expire, known->expire.c_str(), known->expire.size() + 1);
        entry->includeSubDomains = known->include_subdomains ? 1 : 0;
        return CURLSTS_OK;
    });
}

CURLSTScode on_hsts_write(CURL*, curl_hstsentry* entry, curl_index* index, void* core) noexcept {
    return guarded(core_at(core), CURLSTS_FAIL, [&] {
        const hsts_entry known{entry->name, entry->expire, entry->includeSubDomains != 0};
        return call<CURLOPT_HSTSWRITEFUNCTION>(core, known, index->index, index->total);
    });
}

struct trampoline {
    CURLoption function;
    raw_function callback;
};

template <class Callback> trampoline entry(CURLoption function, Callback callback) noexcept {
    return {function, reinterpret_cast<raw_function>(callback)};
}

} // namespace

raw_function trampoline_of(CURLoption function) noexcept {
    static const std::array<trampoline, function_options.size()> table{
        entry(CURLOPT_WRITEFUNCTION, &on_write),
        entry(CURLOPT_READFUNCTION, &on_read),
        entry(CURLOPT_HEADERFUNCTION, &on_header),
        entry(CURLOPT_XFERINFOFUNCTION, &on_xferinfo),
        entry(CURLOPT_SEEKFUNCTION, &on_seek),
        entry(CURLOPT_DEBUGFUNCTION, &on_debug),
        entry(CURLOPT_SOCKOPTFUNCTION, &on_sockopt),
        entry(CURLOPT_OPENSOCKETFUNCTION, &open_socket),
        entry(CURLOPT_CLOSESOCKETFUNCTION, &close_socket),
        entry(CURLOPT_SSL_CTX_FUNCTION, &on_ssl_ctx),
        entry(CURLOPT_PREREQFUNCTION, &on_prereq),
        entry(CURLOPT_TRAILERFUNCTION, &on_trailer),
        entry(CURLOPT_RESOLVER_START_FUNCTION, &on_resolver_start),
        entry(CURLOPT_HSTSREADFUNCTION, &on_hsts_read),
        entry(CURLOPT_HSTSWRITEFUNCTION, &on_hsts_write),
        entry(CURLOPT_SSH_KEYFUNCTION, &on_ssh_key),
        entry(CURLOPT_SSH_HOSTKEYFUNCTION, &on_ssh_hostkey),
        entry(CURLOPT_INTERLEAVEFUNCTION, &on_interleave),
        entry(CURLOPT_CHUNK_BGN_FUNCTION, &on_chunk_begin),
        entry(CURLOPT_CHUNK_END_FUNCTION, &on_chunk_end),
        entry(CURLOPT_FNMATCH_FUNCTION, &on_fnmatch),
        entry(function_number(56), &on_progress),
        entry(function_number(130), &on_ioctl),
    };
    return std::ranges::find(table, function, &trampoline::function)->callback;
}

} // namespace curlicue::detail
