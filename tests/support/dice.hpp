// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>
#include <random>

namespace curlicue::test {

/// A number of the environment's.
inline int number(const char* variable, int otherwise) {
    const char* const given = std::getenv(variable);
    return given != nullptr ? std::atoi(given) : otherwise;
}

/// What may happen, the same for each seed.
class dice {
public:
    explicit dice(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t end) { return random_() % end; }
    bool one_in(std::size_t count) { return below(count) == 0; }

private:
    std::mt19937 random_;
};

} // namespace curlicue::test
