// SPDX-License-Identifier: MIT
#include "support/server_process.hpp"

#include "support/files.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace curlicue::test {
namespace {

int checked(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

bool accepts_connections(std::uint16_t port) {
    const int client = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const sockaddr_in address = loopback(port);
    const int result =
        ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(client);
    return result == 0;
}

pid_t spawn(std::vector<std::string>& command, const std::filesystem::path& log) {
    std::vector<char*> arguments;
    for (std::string& argument : command)
        arguments.push_back(argument.data());
    arguments.push_back(nullptr);

    const pid_t pid = checked(::fork(), "fork");
    if (pid != 0)
        return pid;
    // A crash of ours must not leave servers behind; nor must they hold our connections open.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execvp(arguments[0], arguments.data());
    ::perror(arguments[0]);
    ::_exit(127);
}

[[noreturn]] void fail(const std::vector<std::string>& command, const char* how,
                       const std::filesystem::path& log) {
    throw std::runtime_error(command.front() + ' ' + how + "; it wrote:\n" + read_file(log));
}

} // namespace

reserved_port::reserved_port()
    : socket_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    const int on = 1;
    checked(::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    checked(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), "bind");
    checked(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
    number_ = ntohs(address.sin_port);
}

reserved_port::~reserved_port() { ::close(socket_); }

std::string reserved_port::address() const { return "127.0.0.1:" + std::to_string(number_); }

server_process::server_process(std::vector<std::string> command, const std::filesystem::path& log,
                               const reserved_port& port)
    : pid_(spawn(command, log)) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!accepts_connections(port.number())) {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_)
            fail(command, "ended before it served", log);
        if (std::chrono::steady_clock::now() > deadline) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            fail(command, "does not serve", log);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

server_process::~server_process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void run_program(std::vector<std::string> command, const std::filesystem::path& log) {
    const pid_t pid = spawn(command, log);
    int status = 0;
    checked(::waitpid(pid, &status, 0), "waitpid");
    if (status != 0)
        fail(command, "failed", log);
}

} // namespace curlicue::test
