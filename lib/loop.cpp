// SPDX-License-Identifier: MIT
#include "engine.hpp"
#include "process.hpp"
#include "uv_owned.hpp"
#include <curlicue/error.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/version.hpp>

#include <cstdio>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <thread>

namespace curlicue {
namespace {

thread_local uv_loop_t* current_loop = nullptr;

uv_loop_t* checked(uv_loop_t* loop) {
    if (loop == nullptr)
        throw usage_error(errc::null_handle, "loop_scope");
    return loop;
}

[[noreturn]] void end_program(const char* why) noexcept {
    static_cast<void>(std::fprintf(stderr, "curlicue: %s\n", why));
    std::terminate();
}

} // namespace

library_version libuv_version() {
    const auto split = [](unsigned hex) {
        return version_number{hex >> 16 & 0xff, hex >> 8 & 0xff, hex & 0xff};
    };
    return {split(UV_VERSION_HEX), split(uv_version())};
}

loop_scope::loop_scope(uv_loop_t* loop) : previous_(std::exchange(current_loop, checked(loop))) {}

loop_scope::~loop_scope() { current_loop = previous_; }

uv_loop_t* loop_scope::current() noexcept { return current_loop; }

class loop_thread::running_loop {
public:
    explicit running_loop(async_multi_options options) {
        // Bound on its own thread: until then nobody may add anything.
        std::promise<void> bound; // which may find no memory: before there is a loop to close
        auto ready = bound.get_future();
        detail::check_uv(uv_loop_init(&loop_), "uv_loop_init");
        try {
            thread_ = std::make_unique<std::thread>(
                [this, &bound, options = std::move(options)]() mutable {
                    run(bound, std::move(options));
                });
            ready.get();
        } catch (...) {
            if (thread_)
                thread_->join();
            uv_loop_close(&loop_);
            throw;
        }
    }
    running_loop(const running_loop&) = delete;
    running_loop& operator=(const running_loop&) = delete;
    ~running_loop() { // NOLINT(bugprone-exception-escape): in a child alone `close` throws
        if (process_.elsewhere()) { // where that thread never was
            static_cast<void>(thread_.release());
            return;
        }
        if (thread_->get_id() == std::this_thread::get_id())
            end_program("a loop_thread was destroyed on its own thread; destroy it elsewhere");
        static_cast<void>(multi_->close());
        uv_async_send(&end_);
        thread_->join();
        multi_.reset();
        uv_loop_close(&loop_);
    }

    async_multi& multi() noexcept { return *multi_; }
    uv_loop_t* loop() noexcept { return &loop_; }

private:
    void run(std::promise<void>& bound, async_multi_options options) {
        const loop_scope current(&loop_);
        try {
            multi_.emplace(&loop_, std::move(options));
            end_.of = this;
            detail::check_uv(uv_async_init(&loop_, &end_, &ended), "uv_async_init");
        } catch (...) {
            multi_.reset();
            uv_run(&loop_, UV_RUN_DEFAULT); // what was begun is still to close
            bound.set_exception(std::current_exception());
            return;
        }
        multi_->engine_->belong_to_this_thread();
        bound.set_value();
        // uv_stop by somebody is not the end: that is when nothing is left to run.
        while (uv_run(&loop_, UV_RUN_DEFAULT) != 0)
            continue;
    }

    // NOLINTNEXTLINE(bugprone-exception-escape): `ref` throws on other threads alone
    static void ended(uv_async_t* end) noexcept {
        // The multi may hear of its close only after this: from now on it holds the loop itself.
        auto& self = *static_cast<end_handle*>(end)->of;
        self.multi_->ref();
        uv_close(reinterpret_cast<uv_handle_t*>(end), nullptr);
        self.multi_->close().checked()->attach(self.closes_others_);
    }

    // When the multi is closed, what others have left on the loop must not keep it for ever.
    struct close_others final : detail::continuation {
        explicit close_others(uv_loop_t& of) noexcept : continuation(false), loop(of) {}
        void source_ready() noexcept override {
            uv_walk(
                &loop,
                [](uv_handle_t* handle, void*) {
                    if (uv_is_closing(handle) == 0)
                        uv_close(handle, nullptr);
                },
                nullptr);
        }
        uv_loop_t& loop;
    };

    // `data` stays null, as in uv_owned.hpp.
    struct end_handle : uv_async_t {
        running_loop* of;
    };

    uv_loop_t loop_{};
    end_handle end_{}; // keeps the loop, whatever becomes of the multi
    close_others closes_others_{loop_};
    std::optional<async_multi> multi_;
    std::unique_ptr<std::thread> thread_;
    const detail::process_mark process_;
};

loop_thread::loop_thread(async_multi_options options)
    : running_(std::make_unique<running_loop>(std::move(options))) {}

loop_thread::~loop_thread() = default;

async_multi& loop_thread::multi() noexcept { return running_->multi(); }

uv_loop_t* loop_thread::loop() noexcept { return running_->loop(); }

} // namespace curlicue
