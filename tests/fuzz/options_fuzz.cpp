// SPDX-License-Identifier: MIT
// The run-time door of the options, with any option and any value; lists, bodies and forms.
#include "fuzz/bytes.hpp"
#include <curlicue/detail/slist.hpp>
#include <curlicue/easy.hpp>
#include <curlicue/mime.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace curlicue;
using namespace curlicue::fuzz;

namespace {

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// What libcurl would read or write at once, or when the handle is cleaned up.
bool touches_files(CURLoption option) {
    switch (option) {
    case CURLOPT_COOKIEFILE:
    case CURLOPT_COOKIEJAR:
    case CURLOPT_COOKIELIST:
    case CURLOPT_ALTSVC:
    case CURLOPT_HSTS:
        return true;
    default:
        return false;
    }
}

CURLoption some_option(bytes& input) {
    const auto number = input.number() % 65'536;
    if (number % 8 == 0)
        return static_cast<CURLoption>(number);
    static const auto known = [] {
        std::vector<CURLoption> all;
        for (auto* each = curl_easy_option_next(nullptr); each != nullptr;
             each = curl_easy_option_next(each))
            all.push_back(each->id);
        return all;
    }();
    return known[number % known.size()];
}

std::vector<std::string> some_texts(bytes& input) {
    std::vector<std::string> texts(input.below(4));
    for (auto& each : texts)
        each = input.text();
    return texts;
}

option_value some_value(bytes& input) {
    switch (input.below(8)) {
    case 0:
        return nullptr;
    case 1:
        return static_cast<curl_off_t>(input.number()) << (input.below(2) * 31);
    case 2:
        return -static_cast<curl_off_t>(input.number());
    case 3:
        return some_texts(input);
    case 4: {
        const auto text = input.text();
        return std::as_bytes(std::span(text));
    }
    case 5:
        return static_cast<option_value::function>(nullptr);
    default:
        return input.text();
    }
}

// A refusal has a reason that is fit to print, and names the option.
void set(easy& handle, bytes& input) {
    const auto option = some_option(input);
    const auto value = some_value(input);
    if (touches_files(option))
        return;
    const auto* const text = std::get_if<std::string>(&value.alternatives());
    try {
        handle.setopt(option, value);
        require(curl_easy_option_by_id(option) != nullptr);
        require(text == nullptr || kind_of(option) != option_kind::string || !has_nul(*text));
    } catch (const usage_error& error) {
        require(error.code() == errc::embedded_nul);
    } catch (const std::system_error& error) {
        require(error.code().category() == easy_category());
        require(std::string_view(error.what()).find("CURLOPT_") != std::string_view::npos);
    } catch (const std::invalid_argument&) {
        require(option == CURLOPT_ERRORBUFFER);
    }
}

template <class Setter> void set_text(mimepart& part, Setter setter, const std::string& text) {
    try {
        (part.*setter)(text);
        require(!has_nul(text));
    } catch (const usage_error& error) {
        require(error.code() == errc::embedded_nul && has_nul(text));
    }
}

void fill(mimepart& part, bytes& input, const mime& others) {
    for (auto count = input.below(8); count != 0; --count) {
        const auto text = input.text();
        switch (input.below(8)) {
        case 0:
            set_text(part, &mimepart::name, text);
            break;
        case 1:
            set_text(part, &mimepart::filename, text);
            break;
        case 2:
            set_text(part, &mimepart::type, text);
            break;
        case 3:
            set_text(part, &mimepart::encoder, text);
            break;
        case 4:
            set_text(part, &mimepart::file, text);
            break;
        case 5:
            part.data(text);
            break;
        case 6:
            part.callback([text](std::span<char>) { return text.size(); });
            break;
        default:
            part.subparts(others);
        }
    }
    try {
        part.headers(some_texts(input));
    } catch (const usage_error& error) {
        require(error.code() == errc::embedded_nul);
    }
}

void set_form(easy& handle, bytes& input) {
    mime form, inner;
    for (auto count = input.below(3); count != 0; --count)
        fill(inner.addpart(), input, mime());
    for (auto count = input.below(4); count != 0; --count)
        fill(form.addpart(), input, inner);
    try {
        handle.setopt<CURLOPT_MIMEPOST>(form);
    } catch (const std::system_error&) { // libcurl knows no such encoder, has no such file
    }
}

void set_list(easy& handle, bytes& input) {
    const auto texts = some_texts(input);
    detail::slist list;
    try {
        for (const auto& each : texts)
            list.append(each);
        require(detail::strings_of(list.get()) == texts);
        handle.setopt<CURLOPT_HTTPHEADER>(texts);
    } catch (const usage_error& error) {
        require(error.code() == errc::embedded_nul);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bytes input(data, size);
    easy handle, other;
    while (!input.empty())
        switch (input.below(8)) {
        case 0:
            set_form(handle, input);
            break;
        case 1:
            set_list(handle, input);
            break;
        case 2:
            other = handle.duphandle();
            break;
        case 3:
            std::swap(handle, other);
            break;
        case 4:
            if (input.below(4) == 0)
                handle.reset();
            break;
        default:
            set(handle, input);
        }
    return 0;
}
