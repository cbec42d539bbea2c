// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <httplib.h>

/// A small HTTP server on loopback, for whoever has no URLs at hand. It takes its time, so that
/// there is something to see. The byte at offset n of a file is 'a' + n % 26.
class demo_server {
public:
    demo_server() {
        server_.Get("/(\\d+)/.*", [](const httplib::Request& request, httplib::Response& response) {
            response.set_content_provider(std::stoul(request.matches[1]), "text/plain", send_some);
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running())
            std::this_thread::yield(); // stop() would miss it
    }
    ~demo_server() {
        server_.stop();
        thread_.join();
    }

    std::vector<std::string> urls() const {
        std::vector<std::string> urls;
        for (const char* file : {"100000/apple", "400000/birch", "800000/cedar", "1200000/date",
                                 "2000000/elm", "3000000/fig"})
            urls.push_back("http://127.0.0.1:" + std::to_string(port_) + '/' + file + ".txt");
        return urls;
    }

private:
    static bool send_some(std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        std::string text(std::min<std::size_t>(length, 20000), '\0');
        for (char& letter : text)
            letter = static_cast<char>('a' + offset++ % 26);
        return sink.write(text.data(), text.size());
    }

    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};
