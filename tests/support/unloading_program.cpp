// SPDX-License-Identifier: MIT
// `unloading_program LIBRARY`: a plugin's life, on a thread of its own: what it has made there goes
// with that. Afterwards the library is not in the process any more.
#include <curlicue/curlicue.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

#include <dlfcn.h>

namespace {

template <class Function> Function* named(void* library, const char* name) {
    auto* const found = reinterpret_cast<Function*>(dlsym(library, name));
    if (found == nullptr) {
        static_cast<void>(std::fprintf(stderr, "%s\n", dlerror()));
        std::abort();
    }
    return found;
}
#define NAMED(name) named<decltype(name)>(library, #name)

// One transfer, which fails.
void use(void* library) {
    curlicue_thread* thread = nullptr;
    curlicue_easy* easy = nullptr;
    if (NAMED(curlicue_thread_new)(nullptr, &thread) != 0 || NAMED(curlicue_easy_new)(&easy) != 0)
        std::abort();
    auto* const handle = NAMED(curlicue_easy_handle)(easy);
    auto* const setopt =
        reinterpret_cast<CURLcode (*)(CURL*, CURLoption, ...)>(dlsym(library, "curl_easy_setopt"));
    setopt(handle, CURLOPT_URL, "http://127.0.0.1:1/");
    std::promise<void> over;
    const auto done = [](void* data, CURL*, int, const char*) {
        static_cast<std::promise<void>*>(data)->set_value();
    };
    if (NAMED(curlicue_multi_add)(NAMED(curlicue_thread_multi)(thread), handle, done, &over) != 0)
        std::abort();
    over.get_future().wait();
    NAMED(curlicue_easy_free)(easy);
    NAMED(curlicue_thread_free)(thread);
}

} // namespace

int main(int, char** words) {
    for (int round = 0; round != 3; ++round) {
        std::thread([&] {
            void* const library = dlopen(words[1], RTLD_NOW);
            if (library == nullptr) {
                static_cast<void>(std::fprintf(stderr, "%s\n", dlerror()));
                std::abort();
            }
            std::thread([&] { use(library); }).join();
            dlclose(library);
        }).join();
        if (dlopen(words[1], RTLD_NOW | RTLD_NOLOAD) != nullptr) {
            static_cast<void>(std::fputs("the library is still there\n", stderr));
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
