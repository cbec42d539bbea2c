// SPDX-License-Identifier: MIT
#include "job.hpp"

#include <sstream>
#include <stdexcept>

namespace curlicue::bench {

job::job(std::span<char* const> arguments) {
    for (const std::string argument : arguments) {
        const auto equals = argument.find('=');
        const auto name = argument.substr(0, equals);
        auto value = equals == argument.npos ? std::string() : argument.substr(equals + 1);
        if (name == "url")
            for (std::istringstream words(value); words >> value;)
                urls.push_back(value);
        else if (name == "ca")
            ca = value;
        else if (name == "default_authorities")
            default_authorities = value == "1";
        else if (name == "concurrency")
            concurrency = std::stoi(value);
        else if (name == "threads")
            threads = std::stoi(value);
        else if (name == "loops")
            loops = std::stoi(value);
        else if (name == "requests")
            requests = std::stoi(value);
        else if (name == "warm_up")
            warm_up = std::stoi(value);
        else if (name == "upload")
            upload = std::stoull(value);
        else if (name == "buffer")
            buffer = std::stol(value);
        else if (name == "fresh")
            fresh = value == "1";
        else if (name == "multiplex")
            multiplex = value == "1";
        else if (name == "once")
            once = value == "1";
        else if (name == "pooled")
            pooled = value == "1";
        else if (name == "file")
            file = value;
        else if (name == "cancel")
            cancel = value == "1";
        else
            throw std::invalid_argument("what is " + argument + "?");
    }
}

} // namespace curlicue::bench
