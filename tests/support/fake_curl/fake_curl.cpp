// SPDX-License-Identifier: MIT
#include "support/fake_curl/fake_curl.hpp"

#include "support/fake_curl/out_of_memory.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace curlicue::test {
namespace {

fake_curl* only = nullptr;

// What reads through this crashes.
template <class T> T* poison() noexcept { return reinterpret_cast<T*>(std::uintptr_t{0x5a5a5a5a}); }

} // namespace

void fake_multi::announce(curl_socket_t socket, int what, CURL* by) {
    EXPECT_TRUE(fake_curl::current().inside());
    if (socket_function == nullptr)
        return;
    CURL* const easy = by != nullptr ? by : poison<CURL>();
    EXPECT_EQ(socket_function(easy, socket, what, socket_data, poison<void>()), 0);
}

void fake_multi::set_timer(long timeout_ms) {
    EXPECT_TRUE(fake_curl::current().inside());
    if (timer_function == nullptr)
        return;
    EXPECT_EQ(timer_function(this, timeout_ms, timer_data), 0);
}

void fake_multi::complete(CURL* easy, CURLcode code) {
    CURLMsg message{};
    message.msg = CURLMSG_DONE;
    message.easy_handle = easy;
    message.data.result = code;
    messages.push_back(message);
}

void fake_multi::complete_all(CURLcode code) {
    for (CURL* const easy : easies)
        complete(easy, code);
}

void fake_multi::notify(unsigned notification, CURL* easy) {
    if (notify_function != nullptr)
        notify_function(this, notification, easy, notify_data);
}

// Around each call: counts it, and tells what breaks libcurl's rules.
class fake_curl::call {
public:
    call(fake_curl& fake, fake_call which, CURLM* handle)
        : fake_(fake), which_(which), multi_(fake.find(handle)) {
        EXPECT_NE(multi_, nullptr) << "a multi handle that is gone was used";
        EXPECT_EQ(multi_->depth, 0) << "libcurl was called inside one of its callbacks";
        ++multi_->depth;
        ++fake.depth_;
        ++fake.calls_[index(which)];
    }
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    ~call() {
        --multi_->depth;
        --fake_.depth_;
    }

    fake_multi& multi() const noexcept { return *multi_; }
    template <class Script, class... Args> void run(Script script, Args... args) const {
        if (script) // a copy: it may give itself a successor
            script(*multi_, args...);
    }
    CURLMcode refused() const {
        const auto found = fake_.refusals_.find(which_);
        if (found == fake_.refusals_.end() || found->second.skip-- != 0)
            return CURLM_OK;
        const auto code = found->second.code;
        fake_.refusals_.erase(found);
        return code;
    }

private:
    const enough_memory spared_;
    fake_curl& fake_;
    const fake_call which_;
    fake_multi* const multi_;
};

fake_curl::fake_curl() { only = this; }

fake_curl::~fake_curl() {
    EXPECT_TRUE(multis_.empty()) << "a multi handle was not cleaned up";
    only = nullptr;
}

fake_curl& fake_curl::current() {
    if (only == nullptr) {
        std::fputs("libcurl was called with no fake_curl alive\n", stderr);
        std::abort();
    }
    return *only;
}

void fake_curl::refuse(fake_call which, CURLMcode code, std::size_t skip) {
    refusals_[which] = {skip, code};
}

fake_multi* fake_curl::find(CURLM* handle) noexcept {
    const auto found = std::ranges::find_if(multis_, [&](auto& each) { return &each == handle; });
    return found == multis_.end() ? nullptr : &*found;
}

fake_multi* fake_curl::owner_of(CURL* easy) noexcept {
    for (auto& each : multis_)
        if (std::ranges::count(each.easies, easy) != 0)
            return &each;
    return nullptr;
}

bool fake_curl::has(CURL* easy) const noexcept {
    return std::ranges::any_of(
        multis_, [&](auto& each) { return std::ranges::count(each.easies, easy) != 0; });
}

CURLM* fake_curl::init() {
    const enough_memory spared;
    if (multis_.size() >= most_multis)
        return nullptr;
    ++made_;
    return &multis_.emplace_back();
}

CURLMcode fake_curl::add(CURLM* handle, CURL* easy) {
    const call here(*this, fake_call::add, handle);
    EXPECT_FALSE(has(easy)) << "an easy was added twice";
    here.multi().easies.push_back(easy);
    here.run(on_add, easy);
    const auto code = here.refused();
    if (code != CURLM_OK)
        std::erase(here.multi().easies, easy);
    return code;
}

CURLMcode fake_curl::remove(CURLM* handle, CURL* easy) {
    const call here(*this, fake_call::remove, handle);
    auto& multi = here.multi();
    EXPECT_EQ(std::ranges::count(multi.easies, easy), 1) << "an easy was removed that is not added";
    here.run(on_remove, easy);
    if (const auto code = here.refused(); code != CURLM_OK) {
        multi.stuck = true;
        return code;
    }
    multi.told = nullptr; // CURLMsg::easy_handle and all
    std::erase(multi.easies, easy);
    std::erase_if(multi.messages, [&](auto& each) { return each.easy_handle == easy; });
    return CURLM_OK;
}

CURLMcode fake_curl::socket_action(CURLM* handle, action what, int* running) {
    const call here(*this, fake_call::socket_action, handle);
    auto& multi = here.multi();
    EXPECT_FALSE(multi.broken) << "socket_action was called again after it failed";
    EXPECT_NE(what.mask, CURL_CSELECT_ERR) << "complete replies are lost";
    actions.push_back(what);
    here.run(on_action, what.socket, what.mask);
    const auto code = here.refused();
    multi.broken = code != CURLM_OK;
    *running = static_cast<int>(multi.easies.size() - multi.messages.size());
    return code;
}

CURLMsg* fake_curl::info_read(CURLM* handle, int* remaining) {
    const call here(*this, fake_call::info_read, handle);
    auto& multi = here.multi();
    multi.told = nullptr;
    if (!multi.messages.empty()) {
        multi.told = std::make_unique<CURLMsg>(multi.messages.front());
        multi.messages.pop_front();
    }
    *remaining = static_cast<int>(multi.messages.size());
    return multi.told.get();
}

CURLMcode fake_curl::cleanup(CURLM* handle) {
    {
        const call here(*this, fake_call::cleanup, handle);
        EXPECT_TRUE(here.multi().easies.empty() || here.multi().stuck)
            << "a multi handle was cleaned up with easies added";
        here.run(on_cleanup);
    }
    multis_.remove_if([&](auto& each) { return &each == handle; });
    return CURLM_OK;
}

CURLcode fake_curl::pause(CURL* easy, int bitmask) {
    bitmasks.push_back(bitmask);
    auto* const owner = owner_of(easy);
    EXPECT_NE(owner, nullptr) << "an easy was paused that is not added";
    if (owner == nullptr)
        return CURLE_BAD_FUNCTION_ARGUMENT;
    const call here(*this, fake_call::pause, owner);
    here.run(on_pause, easy);
    return here.refused() == CURLM_OK ? CURLE_OK : CURLE_BAD_FUNCTION_ARGUMENT;
}

} // namespace curlicue::test

// In the executable these come before the shared libcurl's.
using curlicue::test::fake_curl;
using curlicue::test::fake_multi;

extern "C" {

CURLM* curl_multi_init() { return fake_curl::current().init(); }

CURLMcode curl_multi_add_handle(CURLM* multi, CURL* easy) {
    return fake_curl::current().add(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* easy) {
    return fake_curl::current().remove(multi, easy);
}

CURLMcode curl_multi_socket_action(CURLM* multi, curl_socket_t socket, int mask, int* running) {
    return fake_curl::current().socket_action(multi, {socket, mask}, running);
}

// A call for all transfers: the header warns of its name, which is deprecated.
CURLMcode fake_socket_all(CURLM* multi, int* running) __asm__("curl_multi_socket_all");

CURLMcode fake_socket_all(CURLM* multi, int* running) {
    return fake_curl::current().socket_action(multi, {CURL_SOCKET_TIMEOUT, 0, true}, running);
}

CURLMcode curl_multi_perform(CURLM* multi, int* running) {
    return fake_curl::current().socket_action(multi, {CURL_SOCKET_TIMEOUT, 0}, running);
}

CURLMsg* curl_multi_info_read(CURLM* multi, int* remaining) {
    return fake_curl::current().info_read(multi, remaining);
}

CURLMcode curl_multi_cleanup(CURLM* multi) { return fake_curl::current().cleanup(multi); }

CURLMcode curl_multi_assign(CURLM*, curl_socket_t, void*) { return CURLM_OK; }

// Under another name, because va_start takes no enumeration.
CURLMcode fake_setopt(CURLM* handle, unsigned option, ...) __asm__("curl_multi_setopt");

CURLMcode fake_setopt(CURLM* handle, unsigned option, ...) {
    const curlicue::test::enough_memory spared;
    auto* const multi = fake_curl::current().find(handle);
    EXPECT_NE(multi, nullptr) << "a multi handle that is gone was used";
    std::va_list arguments;
    va_start(arguments, option);
    const auto set = [&]<class T>(T& value) { value = va_arg(arguments, T); };
    switch (option) {
    case CURLMOPT_SOCKETFUNCTION:
        set(multi->socket_function);
        break;
    case CURLMOPT_SOCKETDATA:
        set(multi->socket_data);
        break;
    case CURLMOPT_TIMERFUNCTION:
        set(multi->timer_function);
        break;
    case CURLMOPT_TIMERDATA:
        set(multi->timer_data);
        break;
    case CURLOPTTYPE_FUNCTIONPOINT + 18: // CURLMOPT_NOTIFYFUNCTION, 8.17
        set(multi->notify_function);
        break;
    case CURLOPTTYPE_OBJECTPOINT + 19: // CURLMOPT_NOTIFYDATA
        set(multi->notify_data);
        break;
    default:
        if (option < CURLOPTTYPE_OBJECTPOINT)
            multi->numbers[static_cast<CURLMoption>(option)] = va_arg(arguments, long);
        else
            multi->numbers[static_cast<CURLMoption>(option)] = va_arg(arguments, curl_off_t);
    }
    va_end(arguments);
    return CURLM_OK;
}

// Under another name, because the header has a macro of its own.
CURLcode fake_getinfo(CURL* easy, CURLINFO info, void* told) __asm__("curl_easy_getinfo");

CURLcode fake_getinfo(CURL* easy, CURLINFO info, void* told) {
    using curlicue::test::only;
    if (only != nullptr)
        if (const auto found = only->infos.find(info); found != only->infos.end()) {
            if (only->on_getinfo)
                only->on_getinfo();
            *static_cast<curl_off_t*>(told) = found->second;
            return CURLE_OK;
        }
    static const auto real = reinterpret_cast<CURLcode (*)(CURL*, CURLINFO, ...)>(
        ::dlsym(RTLD_NEXT, "curl_easy_getinfo"));
    return real(easy, info, told);
}

// It looks no names up, unless it is to.
curl_version_info_data* curl_version_info(CURLversion age) {
    static auto const real = reinterpret_cast<curl_version_info_data* (*)(CURLversion)>(
        ::dlsym(RTLD_NEXT, "curl_version_info"));
    static std::array told = [age] {
        std::array copies{*real(age), *real(age)};
        copies[false].features &= ~CURL_VERSION_ASYNCHDNS;
        copies[true].features |= CURL_VERSION_ASYNCHDNS;
        copies[true].ares = nullptr;
        return copies;
    }();
    using curlicue::test::only;
    return &told[only != nullptr && only->looks_names_up];
}

CURLcode curl_easy_pause(CURL* easy, int bitmask) {
    return fake_curl::current().pause(easy, bitmask);
}

// The real one, with an eye on when.
void curl_easy_cleanup(CURL* easy) {
    using curlicue::test::only;
    EXPECT_FALSE(only != nullptr && only->has(easy)) << "an easy was cleaned up while it was added";
    static const auto real =
        reinterpret_cast<void (*)(CURL*)>(::dlsym(RTLD_NEXT, "curl_easy_cleanup"));
    real(easy);
}

// libcurl has these from 8.17 on.
CURLMcode curl_multi_notify_enable(CURLM* multi, unsigned notification) {
    fake_curl::current().find(multi)->notifications.insert(notification);
    return CURLM_OK;
}

CURLMcode curl_multi_notify_disable(CURLM* multi, unsigned notification) {
    fake_curl::current().find(multi)->notifications.erase(notification);
    return CURLM_OK;
}
}
