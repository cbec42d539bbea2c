// SPDX-License-Identifier: MIT
// A plugin's life: the library is loaded, used, and unloaded again. These tests link nothing of
// ours.
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"
#include <curlicue/curlicue.h>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace curlicue::test {
namespace {

/// A shared object for as long as this is there.
class loaded {
public:
    explicit loaded(const char* path) : handle_(dlopen(path, RTLD_NOW)) {
        if (handle_ == nullptr)
            throw std::runtime_error(dlerror());
    }
    template <class Function> Function* get(const char* name) const {
        void* const found = dlsym(handle_.get(), name);
        if (found == nullptr)
            throw std::runtime_error(dlerror());
        return reinterpret_cast<Function*>(found);
    }

private:
    struct closed {
        void operator()(void* handle) const noexcept { dlclose(handle); }
    };
    std::unique_ptr<void, closed> handle_;
};

bool is_in_this_process(const char* path) {
    const std::unique_ptr<void, int (*)(void*)> found(dlopen(path, RTLD_NOW | RTLD_NOLOAD),
                                                      dlclose);
    return found != nullptr;
}

#define NAMED(name) library.get<std::remove_reference_t<decltype(name)>>(#name)

// One transfer, which fails.
void transfer(const loaded& library) {
    curlicue_thread* thread = nullptr;
    curlicue_easy* easy = nullptr;
    ASSERT_EQ(NAMED(curlicue_thread_new)(nullptr, &thread), 0);
    ASSERT_EQ(NAMED(curlicue_easy_new)(&easy), 0);
    auto* const handle = NAMED(curlicue_easy_handle)(easy);
    library.get<CURLcode(CURL*, CURLoption, ...)>("curl_easy_setopt")(handle, CURLOPT_URL,
                                                                      "http://127.0.0.1:1/");
    std::promise<void> over;
    const auto done = [](void* data, CURL*, int, const char*) {
        static_cast<std::promise<void>*>(data)->set_value();
    };
    ASSERT_EQ(NAMED(curlicue_multi_add)(NAMED(curlicue_thread_multi)(thread), handle, done, &over),
              0);
    over.get_future().wait();
    NAMED(curlicue_easy_free)(easy);
    NAMED(curlicue_thread_free)(thread);
}

// Loaded, used and unloaded: what the library has made for a thread goes with that.
template <class Use> void in_a_threads_life(const char* path, Use use) {
    const loaded library(path);
    std::thread([&] { use(library); }).join();
}

TEST(ALibrary, IsGoneOnceItIsClosed) {
    for (int round = 0; round != 3; ++round) {
        in_a_threads_life(LIBRARY, transfer);
        EXPECT_FALSE(is_in_this_process(LIBRARY));
    }
}

// The thread that writes files waits a moment for more to do.
TEST(ALibrary, IsKeptUntilItsThreadOfFilesHasEnded) {
    const scripted_server server([](connection& client) {
        client.read_request_head();
        client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    });
    const temporary_directory files;
    in_a_threads_life(PLUGIN, [&](const loaded& plugin) {
        auto* const download = plugin.get<int(const char*, const char*)>("download");
        EXPECT_EQ(download(server.url().c_str(), (files / "body").c_str()), 4);
    });
    EXPECT_FALSE(is_in_this_process(PLUGIN));
    std::this_thread::sleep_for(std::chrono::milliseconds(50)); // in which it comes back from that
    while (is_in_this_process(LIBRARY))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace
} // namespace curlicue::test
