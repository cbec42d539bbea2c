// SPDX-License-Identifier: MIT
#include "meter.hpp"

#include "allocations.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <sys/resource.h>

namespace curlicue::bench {
namespace {

std::chrono::microseconds duration(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// getrusage would count what our parent had before it started us.
long peak_memory_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (long size = 0; word == "VmHWM:" && status >> size)
            return size;
    return 0;
}

} // namespace

meter::sample meter::sample::now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    sample taken{.time = std::chrono::steady_clock::now(),
                 .cpu = duration(usage.ru_utime) + duration(usage.ru_stime),
                 .allocations = {}};
    if (bench::allocations != nullptr)
        taken.allocations = bench::allocations();
    return taken;
}

meter::meter(const job& what)
    : warm_up_(what.warm_up), last_(what.warm_up + what.requests),
      started_(last_ + (what.once ? 0 : what.concurrency - 1)) {}

bool meter::start_another() {
    const int before = starts_.fetch_add(1);
    if (before == 0 && warm_up_ == 0)
        begin_ = sample::now();
    return before < started_;
}

void meter::finished() {
    const int count = ends_.fetch_add(1) + 1;
    if (count == warm_up_)
        begin_ = sample::now();
    else if (count == last_)
        end_ = sample::now();
}

void meter::failed(const std::string& why) {
    starts_ = started_;
    const std::lock_guard lock(mutex_);
    if (failure_.empty())
        failure_ = why;
}

void meter::expect(bool succeeded, const char* what) {
    if (succeeded)
        return;
    std::cerr << what << " failed\n";
    std::exit(1);
}

std::string meter::report() const {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty())
        throw std::runtime_error(failure_);
    if (ends_ < last_)
        throw std::runtime_error("only " + std::to_string(ends_) + " requests have ended");
    std::ostringstream line;
    line.precision(9);
    line << "{\"requests\": " << last_ - warm_up_
         << ", \"seconds\": " << std::chrono::duration<double>(end_.time - begin_.time).count()
         << ", \"cpu_us\": " << (end_.cpu - begin_.cpu).count()
         << ", \"rss_kb\": " << peak_memory_kb() << ", \"allocations\": ";
    if (begin_.allocations)
        line << *end_.allocations - *begin_.allocations;
    else
        line << "null";
    line << '}';
    return line.str();
}

} // namespace curlicue::bench
