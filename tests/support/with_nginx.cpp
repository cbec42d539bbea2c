// SPDX-License-Identifier: MIT
// with_nginx COMMAND…: runs a program that is not ours with our nginx beside it, and ends as it
// does. It finds in its environment NGINX and NGINX_TLS, the beginnings of URLs; NGINX_CA, a file;
// and NOBODY, where no server is.
#include "support/nginx.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

int main(int, char** argv) {
    const auto& server = curlicue::test::nginx::shared();
    const curlicue::test::reserved_port nobody;
    const auto tell = [](const char* name, const std::string& value) {
        ::setenv(name, value.c_str(), 1);
    };
    tell("NGINX", server.http(""));
    tell("NGINX_TLS", server.https(""));
    tell("NGINX_CA", server.ca_file());
    tell("NOBODY", "http://" + nobody.address());
    const auto pid = ::fork();
    if (pid == 0) {
        ::execvp(argv[1], argv + 1);
        std::perror(argv[1]);
        std::_Exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
