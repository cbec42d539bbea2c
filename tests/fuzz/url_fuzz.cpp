// SPDX-License-Identifier: MIT
// URLs: in parts, and as the server that they name.
#include "easy_core.hpp"
#include "fuzz/bytes.hpp"
#include "placement.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/url.hpp>

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace curlicue;
using namespace curlicue::fuzz;

namespace {

constexpr CURLUPart parts[] = {CURLUPART_URL,      CURLUPART_SCHEME,  CURLUPART_USER,
                               CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_HOST,
                               CURLUPART_PORT,     CURLUPART_PATH,    CURLUPART_QUERY,
                               CURLUPART_FRAGMENT, CURLUPART_ZONEID};
constexpr unsigned all_flags = (1U << 15) - 1;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::optional<std::string> whole(const url& address) {
    try {
        return address.to_string();
    } catch (const std::system_error&) { // not yet one
        return std::nullopt;
    } catch (const std::bad_alloc&) { // what 7.88 says of some that it cannot put together
        return std::nullopt;
    }
}

// As libcurl has it, to compare.
std::vector<std::optional<std::string>> all_of(const url& address) {
    std::vector<std::optional<std::string>> texts = {whole(address)};
    for (const auto part : parts)
        if (part != CURLUPART_URL)
            texts.push_back(address.get(part));
    return texts;
}

// A part that is refused leaves the others, and what it was, as they were.
void set(url& address, bytes& input) {
    const auto part = input.one_of(parts);
    const auto flags = input.number() & all_flags;
    const auto text = input.text();
    const auto before = all_of(address);
    try {
        address.set(part, text, flags);
        require(!has_nul(text));
    } catch (const usage_error& error) {
        require(error.code() == errc::embedded_nul && has_nul(text));
        require(all_of(address) == before);
    } catch (const std::system_error& error) {
        require(error.code().category() == url_category());
        require(all_of(address) == before);
    }
}

void get(const url& address, bytes& input) {
    try {
        static_cast<void>(address.get(input.one_of(parts), input.number() & all_flags));
    } catch (const std::system_error& error) {
        require(error.code().category() == url_category());
    } catch (const std::bad_alloc&) { // what 7.88 says of some that it cannot put together
    }
}

void take_apart(bytes& input) {
    url address;
    for (auto count = input.below(16); count != 0; --count)
        switch (input.below(4)) {
        case 0:
            get(address, input);
            break;
        case 1:
            address.unset(input.one_of(parts));
            break;
        default:
            set(address, input);
        }
    const auto copy = address;
    require(all_of(copy) == all_of(address));
}

// The part of the URL that says where the connection goes; the same for all that go there.
void place(bytes& input) {
    detail::placement placement(shards::fixed(1 + input.below(3)));
    std::vector<std::pair<detail::origin*, std::size_t>> running;
    easy handle;
    while (!input.empty()) {
        const auto text = input.text();
        if (has_nul(text))
            continue;
        handle.setopt<CURLOPT_URL>(text);
        auto& core = *detail::easy_access::core_of(handle);
        require(detail::server_name().of(core).find_first_of("@?#") == std::string_view::npos);
        const bool multiplexes = input.flip();
        auto& origin = placement.origin_of(core, multiplexes);
        require(&placement.origin_of(core, multiplexes) == &origin);
        const auto shard = placement.choose(origin);
        require(shard < 3);
        placement.started(origin, shard, core.handle());
        running.emplace_back(&origin, shard);
        if (input.flip()) {
            placement.ended(*running.front().first, running.front().second, core.handle());
            running.erase(running.begin());
        }
        if (input.below(16) == 0)
            placement.start_over();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bytes input(data, size);
    if (input.flip())
        place(input);
    else
        take_apart(input);
    return 0;
}
