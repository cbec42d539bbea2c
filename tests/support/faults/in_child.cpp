// SPDX-License-Identifier: MIT
#include "support/faults/in_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <sstream>
#include <string_view>
#include <system_error>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef COUNTS_COVERAGE
extern "C" void __gcov_dump(); // whose header in g++ 12 is for C alone
#endif

// There, if this is built with a sanitizer that finds leaks.
extern "C" int __lsan_do_recoverable_leak_check() __attribute__((weak));

namespace curlicue::test {
namespace {

constexpr unsigned patience_s = 30; // of which valgrind needs ten
constexpr char crash_mark = '!';
constexpr char hang_mark = '?';

int report_to = -1; // the child's end of the pipe

void tell(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t size = ::write(report_to, text.data(), text.size());
        if (size <= 0)
            return;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
}

std::string_view library_of(std::string_view place) noexcept {
    return place.substr(0, place.find(' '));
}

std::string_view file_name(std::string_view path) noexcept {
    return path.substr(path.find_last_of('/') + 1);
}

void tell_place(void* address) noexcept {
    Dl_info found{};
    std::array<char, 256> line{};
    if (::dladdr(address, &found) == 0 || found.dli_fname == nullptr)
        return;
    const auto offset =
        static_cast<std::size_t>(static_cast<char*>(address) - static_cast<char*>(found.dli_fbase));
    const auto size =
        std::snprintf(line.data(), line.size(), "%s %s +0x%zx\n", file_name(found.dli_fname).data(),
                      found.dli_sname != nullptr ? found.dli_sname : "-", offset);
    tell({line.data(), std::min(static_cast<std::size_t>(size), line.size() - 1)});
}

void report_signal(int signal) noexcept {
    const std::array<char, 1> mark{signal == SIGALRM ? hang_mark : crash_mark};
    tell({mark.data(), mark.size()});
    tell(::sigabbrev_np(signal));
    tell("\n");
    std::array<void*, 64> stack{};
    const int depth = ::backtrace(stack.data(), static_cast<int>(stack.size()));
    for (int i = 0; i < depth; ++i)
        tell_place(stack[static_cast<std::size_t>(i)]);
    // What it had in hand is no leak: valgrind, which looks for one even after SIGKILL, does not in
    // what the process is now.
    ::execl("/bin/false", "false", nullptr);
    ::_exit(1);
}

void report_signals() noexcept {
    static std::array<char, 1 << 16> stack;
    const stack_t own{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
    ::sigaltstack(&own, nullptr);
    struct sigaction action {};
    action.sa_handler = &report_signal;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND;
    for (const int each : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
        ::sigaction(each, &action, nullptr);
}

std::string complaint_of(const std::function<std::string()>& body) {
    try {
        return body();
    } catch (const std::exception& error) {
        return std::string("it threw: ") + error.what();
    }
}

// libgcov writes when a process exits, and `_exit` is no exit to it.
void write_coverage() noexcept {
#ifdef COUNTS_COVERAGE
    ::__gcov_dump();
#endif
}

[[noreturn]] void be_child(const std::function<std::string()>& body) noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    report_signals();
    ::alarm(patience_s);
    auto complaint = complaint_of(body);
    if (complaint.empty() && &__lsan_do_recoverable_leak_check != nullptr &&
        __lsan_do_recoverable_leak_check() != 0)
        complaint = "it leaks, see above";
    tell(complaint);
    write_coverage();
    ::_exit(complaint.empty() ? 0 : 1);
}

std::string everything_from(int pipe) {
    std::string text;
    std::array<char, 4096> some{};
    for (;;) {
        const ssize_t size = ::read(pipe, some.data(), some.size());
        if (size > 0)
            text.append(some.data(), static_cast<std::size_t>(size));
        else if (size == 0 || errno != EINTR)
            return text;
    }
}

child_end understood(const std::string& report, int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    using how = child_end::how;
    child_end end{how::complained, report, {}};
    if (!report.empty() && (report.front() == crash_mark || report.front() == hang_mark)) {
        end.kind = report.front() == crash_mark ? how::crashed : how::hung;
        std::istringstream lines(report.substr(1));
        std::getline(lines, end.said);
        for (std::string line; std::getline(lines, line);)
            end.stack.push_back(line);
    } else if (WIFSIGNALED(status)) {
        end = {how::crashed, ::sigabbrev_np(WTERMSIG(status)), {}};
    } else if (report.empty()) {
        end.said = "it ended by itself, see above";
    }
    return end;
}

// What is on the stack between the place that matters and the end: the C library, what throws
// exceptions, and sanitizers. libstdc++ calls `terminate` on behalf of those before it.
bool is_runtime(std::string_view place) noexcept {
    return std::ranges::any_of(std::array<std::string_view, 5>{"libc.so", "libstdc++.so",
                                                               "libgcc_s.so", "libasan.so",
                                                               "libubsan.so"},
                               [&](auto each) { return place.starts_with(each); });
}

} // namespace

bool child_end::crashed_in(const places& functions) const {
    if (kind != how::crashed)
        return false;
    // It begins with the handler, up to where the C library returns from a signal.
    const auto signal = std::find_if(stack.begin(), stack.end(),
                                     [](const auto& each) { return each.starts_with("libc.so"); });
    const auto place =
        std::find_if(signal, stack.end(), [](const auto& each) { return !is_runtime(each); });
    if (place == stack.end())
        return false;
    // Before the first exported function of a library no place has a name.
    const auto named = std::find_if(
        place, stack.end(), [](const auto& each) { return each.find(" - ") == std::string::npos; });
    return named != stack.end() && library_of(*named) == library_of(*place) &&
           std::ranges::any_of(functions,
                               [&](const auto& each) { return named->starts_with(each + " "); });
}

std::string child_end::text() const {
    static constexpr std::array kinds{"is well", "complains", "crashes", "hangs"};
    std::string all = kinds.at(static_cast<std::size_t>(kind));
    all += ": " + said;
    for (const auto& each : stack)
        all += "\n    " + each;
    return all;
}

child_end in_child(const std::function<std::string()>& body) {
    std::array<int, 2> ends{};
    std::array<void*, 1> first_use{};
    ::backtrace(first_use.data(), 1); // loads a library, which a signal handler better does not
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
        ::close(ends[0]);
        report_to = ends[1];
        be_child(body);
    }
    ::close(ends[1]);
    const auto report = everything_from(ends[0]);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return understood(report, status);
}

} // namespace curlicue::test
