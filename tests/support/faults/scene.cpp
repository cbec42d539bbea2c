// SPDX-License-Identifier: MIT
#include "support/faults/scene.hpp"

#include "support/nginx.hpp"

#include <new>
#include <span>
#include <stdexcept>
#include <system_error>

namespace curlicue::test {

scene::scene() {
    if (uv_loop_init(&loop_) != 0)
        throw std::runtime_error("uv_loop_init");
}

scene::~scene() {
    if (!closed_)
        uv_loop_close(&loop_);
}

async_multi& scene::open(async_multi_options options) {
    return multi_.emplace(&loop_, std::move(options));
}

CURL* scene::handle() {
    handle_.reset(curl_easy_init());
    return handle_.get();
}

void scene::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void scene::run_to(const std::function<bool()>& reached) {
    while (!reached() && uv_run(&loop_, UV_RUN_ONCE) != 0)
        continue;
}

void scene::tell(const char* what) noexcept {
    if (wrong_ == nullptr)
        wrong_ = what;
}

void scene::judge(const std::exception_ptr& what) noexcept {
    try {
        std::rethrow_exception(what);
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error& error) {
        if (error.code() == errc::broken_promise)
            tell("a promise was broken");
        else if (error.code() == std::errc::state_not_recoverable)
            tell("an error says nothing");
    } catch (const usage_error& error) {
        tell(error.code() == errc::would_deadlock ? "the loop forgot a transfer"
                                                  : "the user is blamed");
    } catch (...) {
        tell("an error has no type");
    }
}

// On the same multi: whatever went wrong before, this is to work.
void scene::ask_again() {
    if (multi_->closed())
        return;
    easy page(nginx::shared().http("/hello"));
    std::string body;
    page.setopt<CURLOPT_WRITEDATA>(body);
    try {
        multi_->run_until(multi_->perform(page));
    } catch (const std::exception& error) {
        tell("the multi does not transfer again");
    }
    if (body != "hello\n")
        tell("what the multi transfers is not what there is");
}

void scene::all_is_over() {
    if (come_out_ < expected_)
        tell("the loop forgot a transfer");
}

std::string scene::complaint() {
    if (multi_) {
        ask_again();
        multi_->run_until(multi_->close());
        multi_.reset();
    }
    run();
    if (come_out_ != expected_)
        tell(come_out_ < expected_ ? "a future was lost" : "a future came out twice");
    closed_ = true;
    if (uv_loop_close(&loop_) != 0)
        tell("handles are open");
    return wrong_ != nullptr ? wrong_ : "";
}

std::string play(const scenario& what, std::function<void()> trouble_begins,
                 std::function<void()> trouble_ends) {
    scene stage;
    stage.trouble_begins = std::move(trouble_begins);
    stage.trouble_ends = std::move(trouble_ends);
    try {
        what.play(stage);
        stage.all_is_over();
    } catch (...) {
        stage.trouble_ends();
        stage.judge(std::current_exception());
    }
    stage.trouble_ends();
    return stage.complaint();
}

} // namespace curlicue::test
