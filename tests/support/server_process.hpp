// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace curlicue::test {

/// A port of 127.0.0.1 that is ours: bound, not listening. Linux lets a second socket with
/// SO_REUSEADDR bind it too, as every server's has, but hands it to nobody who asks for just any
/// port. Without a server a connection to it is refused.
class reserved_port {
public:
    reserved_port();
    reserved_port(const reserved_port&) = delete;
    reserved_port& operator=(const reserved_port&) = delete;
    ~reserved_port();

    std::uint16_t number() const noexcept { return number_; }
    /// "127.0.0.1:PORT"
    std::string address() const;

private:
    int socket_;
    std::uint16_t number_ = 0;
};

/// A server in a process of its own. It is killed with this object, or with the thread that made
/// it: none of our servers has anything to save.
class server_process {
public:
    /// Starts the program and waits until `port` accepts connections.
    /// @throws std::runtime_error with what the program wrote to `log`, if that never happens
    server_process(std::vector<std::string> command, const std::filesystem::path& log,
                   const reserved_port& port);
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;
    ~server_process();

private:
    pid_t pid_;
};

/// Runs a program to its end.
/// @throws std::runtime_error with what it wrote to `log`, unless it succeeds
void run_program(std::vector<std::string> command, const std::filesystem::path& log);

} // namespace curlicue::test
