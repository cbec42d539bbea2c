// SPDX-License-Identifier: MIT
// … | upload URL: puts what comes through a pipe as it comes, no faster than the server takes it.
#include <curlicue/async_multi.hpp>
#include <curlicue/fetch.hpp>

#include <array>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>
#include <uv.h>

struct input {
    uv_pipe_t pipe = {};
    std::array<char, 65536> bytes = {};
    std::optional<curlicue::promise<std::string>> next = {};
};

// A piece of it, empty at the end.
curlicue::future<std::string> read(input& from, curlicue::executor& where) {
    const auto room = [](uv_handle_t* pipe, std::size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(static_cast<input*>(pipe->data)->bytes.data(), sizeof(input::bytes));
    };
    const auto take = [](uv_stream_t* pipe, ssize_t size, const uv_buf_t* buffer) {
        auto& next = *static_cast<input*>(pipe->data)->next;
        if (size != 0)
            uv_read_stop(pipe); // until the server takes more
        if (size > 0 || size == UV_EOF)
            next.set_value(std::string(buffer->base, size > 0 ? size : 0));
        else if (size < 0)
            next.set_error({static_cast<int>(size), curlicue::uv_category()});
    };
    from.next.emplace(where);
    if (const int error = uv_read_start(reinterpret_cast<uv_stream_t*>(&from.pipe), room, take))
        from.next->set_error({error, curlicue::uv_category()});
    return from.next->get_future();
}

int main(int argc, char** argv) try {
    if (argc != 2 || uv_guess_handle(STDIN_FILENO) == UV_FILE)
        return std::cerr << "usage: … | upload URL\n", 2;
    curlicue::async_multi multi(uv_default_loop());
    curlicue::client client(multi);
    static input in; // the loop may have it to the end
    in.pipe.data = &in;
    if (uv_pipe_init(uv_default_loop(), &in.pipe, 0) || uv_pipe_open(&in.pipe, STDIN_FILENO))
        return std::cerr << "upload: the input cannot be read\n", 2;
    auto body = curlicue::request_body::stream([&] { return read(in, multi.executor()); });
    auto answer = multi.run_until(client.put(argv[1], std::move(body)));
    std::cout << multi.run_until(answer.throw_for_status().text()) << '\n';
    uv_close(reinterpret_cast<uv_handle_t*>(&in.pipe), nullptr);
    multi.run_until(multi.close());
} catch (const std::exception& error) {
    std::cerr << "upload: " << error.what() << '\n';
    return 1;
}
