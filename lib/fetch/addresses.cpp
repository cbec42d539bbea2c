// SPDX-License-Identifier: MIT
#include "addresses.hpp"

#include <curlicue/fetch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace curlicue {
namespace {

struct v4_net {
    std::uint32_t net;
    unsigned bits;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) noexcept {
    return a << 24U | b << 16U | c << 8U | d;
}

// The IPv4 special-purpose addresses (IANA's registry, RFC 6890), multicast and what is reserved.
constexpr std::array special_v4{
    v4_net{v4(0, 0, 0, 0), 8},      v4_net{v4(10, 0, 0, 0), 8},     v4_net{v4(100, 64, 0, 0), 10},
    v4_net{v4(127, 0, 0, 0), 8},    v4_net{v4(169, 254, 0, 0), 16}, v4_net{v4(172, 16, 0, 0), 12},
    v4_net{v4(192, 0, 0, 0), 24},   v4_net{v4(192, 0, 2, 0), 24},   v4_net{v4(192, 88, 99, 0), 24},
    v4_net{v4(192, 168, 0, 0), 16}, v4_net{v4(198, 18, 0, 0), 15},  v4_net{v4(198, 51, 100, 0), 24},
    v4_net{v4(203, 0, 113, 0), 24}, v4_net{v4(224, 0, 0, 0), 4},    v4_net{v4(240, 0, 0, 0), 4},
};

bool is_public(std::uint32_t address) noexcept {
    return std::ranges::none_of(special_v4, [address](const v4_net& each) {
        return (address ^ each.net) >> (32 - each.bits) == 0;
    });
}

using v6_bytes = std::array<std::uint8_t, 16>;

std::uint32_t v4_in(const v6_bytes& address, std::size_t at) noexcept {
    return v4(address[at], address[at + 1], address[at + 2], address[at + 3]);
}

struct v6_net {
    v6_bytes net;
    unsigned bits;
};

bool is_in(const v6_bytes& address, const v6_net& net) noexcept {
    for (unsigned bit = 0; bit != net.bits; ++bit) {
        const auto mask = static_cast<unsigned>(0x80U >> bit % 8);
        if (((address[bit / 8] ^ net.net[bit / 8]) & mask) != 0)
            return false;
    }
    return true;
}

// Of the IPv6 ones those inside 2000::/3; outside of it nothing is public but what leads to IPv4.
constexpr std::array special_v6{
    v6_net{{0x20, 0x01, 0x00, 0x00}, 23}, // IETF protocols, Teredo among them
    v6_net{{0x20, 0x01, 0x0d, 0xb8}, 32}, // documentation
    v6_net{{0x3f, 0xff, 0x00, 0x00}, 20}, // likewise (RFC 9637)
};
constexpr v6_net global_unicast{{0x20}, 3};
constexpr v6_net mapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr v6_net nat64{{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr v6_net six_to_four{{0x20, 0x02}, 16};

bool is_public(const v6_bytes& address) noexcept {
    if (is_in(address, mapped) || is_in(address, nat64)) // RFC 4291, 6052: it is at the end
        return is_public(v4_in(address, 12));
    if (is_in(address, six_to_four))
        return is_public(v4_in(address, 2));
    return is_in(address, global_unicast) &&
           std::ranges::none_of(special_v6,
                                [&](const v6_net& each) { return is_in(address, each); });
}

} // namespace

bool public_addresses_only(const sockaddr& address) noexcept {
    if (address.sa_family == AF_INET) {
        sockaddr_in known{};
        std::memcpy(&known, &address, sizeof known);
        return is_public(ntohl(known.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 known{};
        std::memcpy(&known, &address, sizeof known);
        v6_bytes bytes{};
        std::memcpy(bytes.data(), &known.sin6_addr, bytes.size());
        return is_public(bytes);
    }
    return false; // a unix socket, or what nobody knows
}

namespace detail {

bool is_allowed(const std::function<bool(const sockaddr&)>& allow, const std::string& text,
                std::uint16_t port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
        return allow(reinterpret_cast<const sockaddr&>(v4));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &v6.sin6_addr) == 1)
        return allow(reinterpret_cast<const sockaddr&>(v6));
    return false;
}

} // namespace detail
} // namespace curlicue
