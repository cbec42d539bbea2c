// SPDX-License-Identifier: MIT
#include "support/faults/resolver.hpp"

#include <condition_variable>
#include <mutex>
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>

namespace curlicue::test {
namespace {

std::mutex mutex; // guards what follows, and the answers of the one there is
std::condition_variable changed;
const resolver* one = nullptr;
int looking_now = 0;
int asked_so_far = 0;

using getaddrinfo_type = int(const char*, const char*, const addrinfo*, addrinfo**);

int real(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    static auto* const function =
        reinterpret_cast<getaddrinfo_type*>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return function(name, service, hints, found);
}

// The real one makes an entry of each address: one list of them all is freed like any.
int answer(const std::vector<std::string>& addresses, const char* service, const addrinfo* hints,
           addrinfo** found) {
    addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
    numeric.ai_flags = AI_NUMERICHOST;
    *found = nullptr;
    auto** last = found;
    for (const auto& each : addresses)
        if (real(each.c_str(), service, &numeric, last) == 0)
            while (*last != nullptr)
                last = &(*last)->ai_next;
    return *found != nullptr ? 0 : EAI_NONAME;
}

int look_up(const char* service, const addrinfo* hints, addrinfo** found) {
    std::unique_lock lock(mutex);
    if (one == nullptr)
        return EAI_NONAME;
    ++asked_so_far;
    ++looking_now;
    const auto& addresses = one->addresses; // no copy: memory may be scarce, and C called this
    const int failure = one->failure;
    changed.wait(lock, [] { return !one->stuck; });
    const int status = failure != 0 ? failure : answer(addresses, service, hints, found);
    --looking_now;
    changed.notify_all();
    return status;
}

} // namespace

resolver::resolver() {
    const std::lock_guard lock(mutex);
    one = this;
    asked_so_far = 0;
}

resolver::~resolver() {
    go_on();
    std::unique_lock lock(mutex);
    changed.wait(lock, [] { return looking_now == 0; });
    one = nullptr;
}

void resolver::go_on() {
    const std::lock_guard lock(mutex);
    stuck = false;
    changed.notify_all();
}

int resolver::looking() const {
    const std::lock_guard lock(mutex);
    return looking_now;
}

int resolver::asked() const {
    const std::lock_guard lock(mutex);
    return asked_so_far;
}

} // namespace curlicue::test

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
    using namespace curlicue::test;
    const bool ours = name != nullptr && std::string_view(name).ends_with(".test");
    return ours ? look_up(service, hints, found) : real(name, service, hints, found);
}
