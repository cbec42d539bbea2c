// SPDX-License-Identifier: MIT
#include "support/async_fixture.hpp"
#include "support/faults/resolver.hpp"
#include "support/faults/scene.hpp"
#include "support/nginx.hpp"
#include <curlicue/curlicue.h>
#include <curlicue/loop.hpp>
#include <curlicue/mime.hpp>
#include <curlicue/semaphore.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/task_group.hpp>

#include <chrono>
#include <exception>
#include <memory>

namespace curlicue::test {
namespace {

using namespace std::chrono_literals;

std::string url(std::string_view path) { return nginx::shared().http(path); }

void one_after_another(scene& on) {
    const easy page = quiet(url("/hello"));
    on.trouble_begins();
    auto& multi = on.open();
    for (int i = 0; i != 2; ++i) {
        on.expect(multi.perform(page));
        on.run();
    }
}

void two_new_easies(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    for (int i = 0; i != 2; ++i)
        on.expect(multi.perform(quiet(url("/bytes/1048576"))));
    on.run();
}

void form(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    mime fields;
    fields.addpart().name("a").data("b").headers({"X-Part: yes"});
    fields.addpart().name("file").data("c").filename("name").type("text/plain");
    easy page = quiet(url("/post/form"));
    page.setopt<CURLOPT_MIMEPOST>(fields).setopt<CURLOPT_HTTPHEADER>({"Expect:", "X-Test: yes"});
    on.expect(multi.perform(page));
    on.run();
}

void over_tls(scene& on) {
    easy page = quiet(nginx::shared().https("/hello"));
    page.setopt<CURLOPT_CAINFO>(nginx::shared().ca_file().string());
    auto& multi = on.open();
    on.trouble_begins();
    on.expect(multi.perform(page));
    on.run();
}

void cancelled_halfway(scene& on) {
    bool arrives = false;
    easy page(url("/slow/16777216"));
    page.setopt<CURLOPT_WRITEFUNCTION>([&](std::span<const char> data) {
        arrives = true;
        return data.size();
    });
    auto& multi = on.open();
    on.trouble_begins();
    auto over = multi.perform(page).share();
    on.run_to([&] { return arrives || over.ready(); });
    over.cancel();
    on.run();
    if (!over.ready())
        on.judge(std::make_exception_ptr("not even cancelled"));
}

void chain(scene& on) {
    auto& multi = on.open();
    const easy first = quiet(url("/hello")), second = quiet(url("/status/404"));
    on.trouble_begins();
    // Which goes on when something on the way has thrown.
    on.expect(
        multi.perform(first)
            .then([&multi, second](const easy&) { return multi.perform(second); })
            .then([](const easy& page) { return std::string(200, 'x') + page.error().data(); })
            .catch_error(
                [](const std::exception_ptr& why) -> std::string { std::rethrow_exception(why); })
            .finally([] {}));
    on.run();
}

task<std::size_t> both_of(async_multi& multi) {
    std::vector<future<easy>> all;
    all.push_back(multi.perform(quiet(url("/hello"))));
    all.push_back(multi.perform(quiet(url("/bytes/1024"))));
    co_return (co_await gather(std::move(all))).size();
}

void coroutine(scene& on) {
    auto& multi = on.open();
    on.trouble_begins();
    on.expect(co_spawn(multi.executor(), both_of(multi)));
    on.run();
}

// Two tasks, one at a time: whatever fails, nobody keeps what they had.
void group(scene& on) {
    auto& multi = on.open();
    const auto token = std::make_shared<int>();
    semaphore gate(1);
    on.trouble_begins();
    try {
        on.expect(with_task_group(multi.executor(), [&, token](task_group& both) -> task<> {
            for (int i = 0; i != 2; ++i)
                both.spawn([&]() -> task<> {
                    const auto mine = co_await gate.acquire();
                    co_await sleep_for(multi.executor(), 1ms);
                    co_await multi.perform(quiet(url("/hello")));
                });
            co_return;
        }));
    } catch (...) {
        on.judge(std::current_exception());
    }
    on.run();
    if (token.use_count() != 1)
        on.judge(std::make_exception_ptr("something is left of a task group"));
}

void other_thread(scene& on) {
    on.trouble_begins();
    loop_thread other;
    for (int i = 0; i != 2; ++i) {
        try {
            other.multi().perform(quiet(url("/hello"))).get();
            other.multi().post([] { return std::string(100, 'x'); }).get();
        } catch (...) {
            on.judge(std::current_exception());
        }
    }
}

void close_with_pending(scene& on) {
    auto& multi = on.open();
    const easy page = quiet(url("/slow/16777216")), other = quiet(url("/slow/1048576"));
    on.trouble_begins();
    on.expect(multi.perform(page));
    on.expect(multi.perform(other));
    // The second may have to wait for the first, which is slow; some libcurls do not tell.
    const auto long_enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    on.run_to([&] {
        const auto stats = multi.stats();
        return stats.sockets == 2 || stats.failed != 0 || stats.waits != 0 ||
               std::chrono::steady_clock::now() > long_enough;
    });
    on.expect(multi.close());
    on.run();
}

void redirected(scene& on) {
    easy page = quiet(url("/redirect"));
    auto& multi = on.open();
    on.trouble_begins();
    page.setopt<CURLOPT_FOLLOWLOCATION>(true).setopt<CURLOPT_COOKIEFILE>("");
    on.expect(multi.perform(page));
    on.run();
}

void second_shard(scene& on) {
    auto& multi = on.open();
    std::vector<easy> pages;
    for (int i = 0; i != 34; ++i)
        pages.push_back(quiet(url("/bytes/1024")));
    for (int i = 0; i != 32; ++i)
        on.expect(multi.perform(pages[static_cast<std::size_t>(i)]));
    on.trouble_begins();
    on.expect(multi.perform(pages[32]));
    on.expect(multi.perform(pages[33]));
    on.trouble_ends(); // what the others do is like what two do
    on.run();
}

void name(scene& on) {
    const resolver names;
    auto address = url("/hello");
    address.replace(address.find("127.0.0.1"), 9, "some.test");
    auto& multi = on.open();
    on.trouble_begins();
    on.expect(multi.perform(quiet(address)));
    on.run();
    on.trouble_ends(); // a thread may be left, which asks still
}

void timed_out(scene& on) {
    auto& multi = on.open();
    const easy page = quiet(url("/slow/16777216"));
    on.trouble_begins();
    on.expect(multi.perform(page).timeout(20ms));
    on.run();
}

void borrowed(scene& on) {
    auto& multi = on.open();
    CURL* const handle = on.handle();
    curl_easy_setopt(handle, CURLOPT_URL, url("/hello").c_str());
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    on.trouble_begins();
    on.expect(multi.perform(easy::borrow(handle)));
    on.run();
}

int count(void* calls) noexcept { return ++*static_cast<int*>(calls); }

// What is refused has not happened.
void in_c(scene& on) {
    on.open();
    CURL* const handle = on.handle();
    curl_easy_setopt(handle, CURLOPT_URL, url("/hello").c_str());
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    curlicue_multi* multi = nullptr;
    int done = 0, posted = 0, closed = 0;
    const auto expect = [&](int status, int wanted, const char* otherwise) {
        if (wanted != (status == CURLICUE_OK ? 1 : 0))
            on.judge(std::make_exception_ptr(otherwise));
    };
    on.trouble_begins();
    if (curlicue_multi_new(on.loop(), nullptr, &multi) != CURLICUE_OK)
        return;
    const auto added = curlicue_multi_add(
        multi, handle, [](void* data, CURL*, int, const char*) { count(data); }, &done);
    expect(added, static_cast<int>(curlicue_multi_size(multi)), "refused, but added");
    const auto queued = curlicue_multi_post(
        multi, [](void* data) { count(data); }, &posted);
    on.run();
    expect(added, done, "refused, but told");
    expect(queued, posted, "refused, but posted");
    const auto ends = curlicue_multi_close(
        multi, [](void* data) { count(data); }, &closed);
    curlicue_multi_free(multi);
    on.run();
    expect(ends, closed, "refused, but closed");
}

} // namespace

const std::vector<scenario>& scenarios() {
    static const auto all = [] {
        std::vector<scenario> each{
            {"OneAfterAnother", &one_after_another},
            {"TwoNewEasies", &two_new_easies},
            {"AForm", &form},
            {"Tls", &over_tls},
            {"CancelledHalfway", &cancelled_halfway},
            {"AChain", &chain},
            {"ACoroutine", &coroutine},
            {"ATaskGroup", &group},
            {"AnotherThread", &other_thread},
            {"CloseWithPending", &close_with_pending},
            {"ARedirect", &redirected},
            {"ASecondShard", &second_shard},
            {"AName", &name},
            {"ATimeout", &timed_out},
            {"ABorrowedHandle", &borrowed},
            {"C", &in_c},
        };
        const auto more = fetch_scenarios();
        each.insert(each.end(), more.begin(), more.end());
        return each;
    }();
    return all;
}

} // namespace curlicue::test
