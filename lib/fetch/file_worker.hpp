// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/executor_link.hpp>
#include <curlicue/future.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace curlicue::detail {

/// `job()` on the thread that reads and writes files, one for the process: there the loop does not
/// wait for a disk. The future, whose executor is `link`, holds the loop as a transfer does.
/// Cancelled, the job is still done.
/// @threading thread-safe
future<void> run_with_files(const intrusive_ptr<executor_link>& link, unique_function<void()> job);

/// The same for what returns something.
template <class Job>
auto with_files(const intrusive_ptr<executor_link>& link, Job job)
    -> future<std::invoke_result_t<Job&>> {
    using R = std::invoke_result_t<Job&>;
    if constexpr (std::is_void_v<R>) {
        return run_with_files(link, std::move(job));
    } else {
        auto answer = std::make_shared<std::optional<R>>();
        return run_with_files(link,
                              [answer, job = std::move(job)]() mutable { answer->emplace(job()); })
            .then([answer] { return std::move(**answer); });
    }
}

} // namespace curlicue::detail
