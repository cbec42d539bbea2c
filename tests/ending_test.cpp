// SPDX-License-Identifier: MIT
// The end of a process with transfers pending, and children that fork from a busy one.
#include "support/async_fixture.hpp"
#include "support/nginx.hpp"
#include <curlicue/easy_pool.hpp>
#include <curlicue/loop.hpp>
#include <curlicue/share.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace curlicue;
using namespace curlicue::test;
using namespace std::chrono_literals;

namespace {

/// How `child` ended, which is not in this process: as waitpid has it.
int status_of(const std::function<void()>& child) {
    const auto id = ::fork();
    if (id == 0) {
        ::alarm(60); // rather than hang
        child();
        ::_exit(1);
    }
    int status = -1;
    ::waitpid(id, &status, 0);
    return status;
}

// ---- exit

class AProgramsEnd : public ::testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() { nginx::shared(); }
};

TEST_P(AProgramsEnd, MayHaveTransfersOverTlsPending) {
    const auto address = nginx::shared().https("/slow/16777216");
    for (int i = 0; i != 10; ++i)
        ASSERT_EQ(status_of([&] {
                      ::execl(ENDING_PROGRAM, ENDING_PROGRAM, GetParam(), address.c_str(), nullptr);
                  }),
                  0)
            << "round " << i;
}

INSTANTIATE_TEST_SUITE_P(Of, AProgramsEnd,
                         ::testing::Values("loop_thread", "loop_pool", "async_multi", "multi",
                                           "easy_pool", "easy", "future", "share", "thread_local"),
                         [](const auto& each) { return std::string(each.param); });

// ---- forks

/// An executor that is somebody's, who takes his time when it is asked.
class slow_executor final : public executor {
public:
    ~slow_executor() override { retire(); }
    void post(unique_function<void()>) override {}
    bool runs_here() const noexcept override {
        inside = true;
        while (held)
            std::this_thread::yield();
        return false;
    }
    mutable std::atomic<bool> inside{false};
    std::atomic<bool> held{true};
};

// The other thread is asked, and so in a lock of the executor's futures, while this one forks.
TEST(AChildProcess, DoesNotWaitForALockThatAThreadOfItsParentsHas) {
    slow_executor executor;
    std::optional<promise<int>> pending(executor);
    auto sink = pending->get_future();
    std::thread other([&] { static_cast<void>(sink.wait_for(0s)); });
    while (!executor.inside)
        std::this_thread::yield();
    EXPECT_EQ(status_of([&] {
                  executor.held = false;
                  pending.reset();
                  sink = {};
                  ::_exit(0);
              }),
              0);
    executor.held = false;
    other.join();
}

class ABusyProcess : public ::testing::Test {
protected:
    static void SetUpTestSuite() { nginx::shared(); }

    static easy page() { return quiet(nginx::shared().http("/bytes/1024")); }
};

TEST_F(ABusyProcess, MayForkForChildrenThatDropAllOfIt) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP()
        << "a child waits for a lock of the sanitizer's allocator (gcc 12), which a thread "
           "of its parent's had";
#endif
    auto background = std::make_unique<loop_pool>(2);
    auto pool = std::make_unique<easy_pool>();
    const share caches{CURL_LOCK_DATA_DNS, CURL_LOCK_DATA_SSL_SESSION};
    std::atomic<bool> ends{false};
    std::thread busy([&] {
        while (!ends) {
            std::vector<future<void>> all;
            for (int i = 0; i != 20; ++i)
                all.push_back(background->add_handle(page()).then([](const easy&) {}));
            for (auto& each : all)
                each.get();
        }
    });
    for (int i = 0; i != 100; ++i) {
        easy pooled = pool->take(nginx::shared().http("/bytes/1024"));
        pooled.setopt<CURLOPT_SHARE>(caches);
        pooled.setopt<CURLOPT_WRITEFUNCTION>(
            [](std::span<const char> data) { return data.size(); });
        std::vector<future<void>> mine;
        mine.push_back(background->add_handle(pooled).then([](const easy&) {}));
        for (int more = 0; more != 5; ++more)
            mine.push_back(background->add_handle(page()).timeout(1h).then([](const easy&) {}));
        promise<int> kept((*background)[0].multi().executor());
        auto sink = kept.get_future();
        ASSERT_EQ(status_of([&] {
                      for (auto& each : mine)
                          each.cancel();
                      mine.clear();
                      pooled = easy();
                      { const promise<int> ends_here = std::move(kept); }
                      sink = {};
                      pool.reset();
                      background.reset();
                      easy of_the_childs("http://127.0.0.1:1/");
                      ::_exit(0);
                  }),
                  0)
            << "child " << i;
        for (auto& each : mine)
            each.get();
    }
    ends = true;
    busy.join();
}

TEST_F(ABusyProcess, HasChildrenThatDoNotWaitForWhatIsItsOwn) {
    loop_pool background(1);
    auto pending = background.add_handle(quiet(nginx::shared().http("/slow/16777216")));
    auto child_of_it =
        background.add_handle(quiet(nginx::shared().http("/slow/16777216"))).then([](const easy&) {
            return 1;
        });
    std::promise<void> goes_on;
    auto blocked = background[0].multi().post([&] { goes_on.get_future().wait(); });
    auto closed = background.close();
    EXPECT_EQ(status_of([&] {
                  const bool refused =
                      failure_of([&] { pending.wait(); }) == errc::forked &&
                      failure_of([&] { child_of_it.get(); }) == errc::forked &&
                      failure_of([&] { static_cast<void>(closed.wait_for(1h)); }) == errc::forked &&
                      failure_of([&] { static_cast<void>(background.close()); }) == errc::forked &&
                      failure_of([&] { background[0].multi().executor().post([] {}); }) ==
                          errc::forked;
                  { const auto guarded = scoped(std::move(pending)); }
                  ::_exit(refused ? 0 : 1);
              }),
              0);
    goes_on.set_value();
    closed.get();
    EXPECT_THROW(pending.get(), cancelled);
}

} // namespace
