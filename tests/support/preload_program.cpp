// SPDX-License-Identifier: MIT
// preload_program SCENE URL [URL]: a program that knows libcurl alone, and tells what it gets.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using body_callback = std::function<std::size_t(std::string_view)>;

std::size_t call(char* data, std::size_t, std::size_t size, void* callback) {
    return (*static_cast<body_callback*>(callback))({data, size});
}

struct transfer {
    explicit transfer(const char* url, CURL* use = curl_easy_init()) : handle(use) { set_up(url); }
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;
    ~transfer() { curl_easy_cleanup(handle); }

    void set_up(const char* url) {
        curl_easy_setopt(handle, CURLOPT_URL, url);
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &call);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &on_body);
        curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, words.data());
        curl_easy_setopt(handle, CURLOPT_TIMEOUT, 20L);
    }
    CURLcode perform() { return curl_easy_perform(handle); }
    void tell(CURLcode code) const {
        long connects = 0;
        curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connects);
        std::cout << "code " << code << ", " << connects << " new connections, " << size
                  << " bytes: " << words.data() << std::endl;
    }
    void perform_and_tell() { tell(perform()); }

    std::size_t size = 0;
    body_callback on_body = [this](std::string_view data) {
        size += data.size();
        return data.size();
    };
    std::array<char, CURL_ERROR_SIZE> words{};
    CURL* handle;
};

std::vector<std::string> open_files() {
    std::vector<std::string> names;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        names.push_back(std::filesystem::read_symlink(entry, gone));
    return names;
}

/// Calls back until it is told to abort, with whether that long is over.
struct progress {
    explicit progress(transfer& of, std::function<int(bool)> callback)
        : on_progress(std::move(callback)) {
        curl_easy_setopt(of.handle, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(of.handle, CURLOPT_XFERINFODATA, this);
        curl_easy_setopt(of.handle, CURLOPT_XFERINFOFUNCTION, &called);
    }
    static int called(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        auto& me = *static_cast<progress*>(self);
        return me.on_progress(std::chrono::steady_clock::now() - me.begun >
                              std::chrono::seconds(1));
    }

    std::function<int(bool)> on_progress;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

void null(const char*, const char*) { std::cout << curl_easy_perform(nullptr) << '\n'; }

void loop(const char* url, const char*) {
    transfer one(url);
    one.on_body = [](std::string_view data) {
        const auto files = open_files();
        const bool has_one = std::ranges::count(files, "anon_inode:[eventpoll]") != 0;
        std::cout << (has_one ? "a loop\n" : "no loop\n");
        return data.size();
    };
    one.perform_and_tell();
}

void itself(const char* url, const char*) {
    transfer one(url);
    one.on_body = [&](std::string_view data) {
        one.perform_and_tell();
        return data.size();
    };
    one.perform_and_tell();
}

void another(const char* url, const char* other) {
    transfer one(url), two(other);
    one.on_body = [&](std::string_view data) {
        two.perform_and_tell();
        return data.size();
    };
    one.perform_and_tell();
}

void added(const char* url, const char*) {
    transfer one(url);
    CURLM* const multi = curl_multi_init();
    curl_multi_add_handle(multi, one.handle);
    one.perform_and_tell();
    for (int running = 1; running != 0; curl_multi_poll(multi, nullptr, 0, 1000, nullptr))
        curl_multi_perform(multi, &running);
    one.tell(CURLE_OK);
    curl_multi_remove_handle(multi, one.handle);
    one.perform_and_tell();
    curl_multi_cleanup(multi);
}

void again(const char* url, const char*) {
    transfer one(url);
    one.perform_and_tell();
    one.perform_and_tell();
    curl_easy_reset(one.handle);
    one.set_up(url);
    one.perform_and_tell();
    transfer copy(url, curl_easy_duphandle(one.handle));
    copy.perform_and_tell();
    copy.perform_and_tell();
}

void pool(const char* url, const char* other) {
    const auto come_back = [&](transfer& one) {
        for (const char* each : {url, other, url}) {
            curl_easy_setopt(one.handle, CURLOPT_URL, each);
            one.perform_and_tell();
            // libcurl tells by the millisecond which connection is the oldest.
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    };
    for (const long most : {5L, 1L}) {
        transfer one(url);
        curl_easy_setopt(one.handle, CURLOPT_MAXCONNECTS, most);
        come_back(one);
        transfer copy(url, curl_easy_duphandle(one.handle));
        come_back(copy);
    }
}

void connect_only(const char* url, const char*) {
    transfer one(url);
    curl_easy_setopt(one.handle, CURLOPT_CONNECT_ONLY, 1L);
    one.perform_and_tell();
    const std::string request = "GET /hello HTTP/1.0\r\n\r\n";
    std::array<char, 100> reply{};
    std::size_t size = 0;
    std::cout << curl_easy_send(one.handle, request.data(), request.size(), &size) << '\n';
    CURLcode code = CURLE_AGAIN;
    while (code == CURLE_AGAIN)
        code = curl_easy_recv(one.handle, reply.data(), 15, &size);
    std::cout << code << ' ' << std::string_view(reply.data(), size) << '\n';
    curl_easy_reset(one.handle);
    one.set_up(url);
    one.perform_and_tell();
}

void threads(const char* url, const char*) {
    std::vector<transfer*> moved;
    for (int i = 0; i != 8; ++i)
        moved.push_back(new transfer(url));
    std::atomic<int> good = 0;
    for (int round = 0; round != 5; ++round) { // each time on other threads
        std::vector<std::jthread> running;
        for (auto* each : moved)
            running.emplace_back([&, each] {
                transfer own(url);
                good += own.perform() == CURLE_OK && each->perform() == CURLE_OK;
            });
    }
    std::cout << good << " good\n";
    for (auto* each : moved) {
        each->perform_and_tell(); // over the connection that it has
        delete each;
    }
}

void child(const char* url, const char*) {
    transfer one(url);
    one.perform_and_tell();
    const pid_t pid = ::fork();
    if (pid == 0) {
        const auto code = one.perform();
        curl_easy_cleanup(one.handle);
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    std::cout << "the child " << (status == 0 ? "is well\n" : "is not well\n");
    one.perform_and_tell();
}

void descriptors(const char* url, const char*) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    transfer(url).perform_and_tell();
    const auto before = open_files().size();
    for (int i = 0; i != 20; ++i)
        transfer(url).perform();
    std::cout << open_files().size() - before << " descriptors more\n";
}

void few_descriptors(const char* url, const char*) {
    std::vector<int> taken;
    for (int last = 0; (last = ::dup(0)) != -1; taken.push_back(last))
        continue;
    for (int free : {1, 1, 1}) {
        ::close(taken.back());
        taken.pop_back();
        transfer one(url);
        std::cout << free << (one.perform() == CURLE_OK ? " done\n" : " not done\n");
    }
    for (int each : taken)
        ::close(each);
    transfer(url).perform_and_tell();
}

void stalled(const char* url, const char*) {
    transfer one(url);
    const progress watched(one, [](bool late) { return late; });
    one.perform_and_tell();
}

void paused(const char* url, const char*) {
    transfer one(url);
    bool begun = false, held = false;
    one.on_body = [&](std::string_view data) {
        if (!std::exchange(begun, true)) {
            held = true;
            return std::size_t{CURL_WRITEFUNC_PAUSE};
        }
        one.size += data.size();
        return data.size();
    };
    const progress watched(one, [&](bool late) {
        if (late && std::exchange(held, false))
            curl_easy_pause(one.handle, CURLPAUSE_CONT);
        return 0;
    });
    one.perform_and_tell();
}

void leaves(const char* url, const char*) {
    transfer one(url);
    one.on_body = [](std::string_view) -> std::size_t { std::exit(3); };
    one.perform_and_tell();
}

const std::map<std::string_view, void (*)(const char*, const char*)> scenes = {
    {"added", &added},
    {"again", &again},
    {"another", &another},
    {"child", &child},
    {"connect_only", &connect_only},
    {"descriptors", &descriptors},
    {"few_descriptors", &few_descriptors},
    {"itself", &itself},
    {"leaves", &leaves},
    {"loop", &loop},
    {"null", &null},
    {"paused", &paused},
    {"pool", &pool},
    {"stalled", &stalled},
    {"threads", &threads},
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 3 || !scenes.contains(argv[1]))
        return 2;
    scenes.at(argv[1])(argv[2], argv[argc - 1]);
}
